import { z } from 'zod';
import type { Context } from '../../commands/context.js';
import { pauseWebhook } from '../../commands/pause-webhook.js';
import { replayWebhook } from '../../commands/replay-webhook.js';
import { resumeWebhook } from '../../commands/resume-webhook.js';
import { rotateWebhookSecret } from '../../commands/rotate-webhook-secret.js';
import { testWebhook } from '../../commands/test-webhook.js';
import { listWebhookDeliveries } from '../../queries/list-webhook-deliveries.js';
import { answerRead, preconditionOf } from '../answers.js';
import { operation } from '../openapi/operation.js';
import * as docs from '../openapi/webhook-steps-docs.js';
import { deleteHeaders, readHeaders } from '../schemas/headers.js';
import { pagingQuery } from '../schemas/list-query.js';
import { webhookParams } from '../schemas/paths.js';
import { replayBody, rotateBody } from '../schemas/webhooks.js';
import { given, type Server } from '../server.js';
import { answerWebhook, WEBHOOK } from './webhooks-routes.js';

export function webhookStepsRoutes(app: Server, context: Context): void {
  const parts = { params: webhookParams, headers: deleteHeaders };

  app.route({
    method: 'POST',
    url: `${WEBHOOK}/test`,
    ...operation(docs.testWebhookDoc, { params: webhookParams }),
    handler: async (request, reply) => {
      reply.header('Cache-Control', 'no-store');
      return await testWebhook(context, { id: request.params.webhook });
    },
  });

  app.route({
    method: 'GET',
    url: `${WEBHOOK}/deliveries`,
    ...operation(docs.listWebhookDeliveriesDoc, {
      params: webhookParams,
      querystring: z.strictObject(pagingQuery),
      headers: readHeaders,
    }),
    handler: async (request, reply) => {
      const { limit, cursor } = request.query;
      const input = { id: request.params.webhook, limit, ...given({ cursor }) };
      const { page, revision } = await listWebhookDeliveries(context, input);
      return answerRead(request, reply, { body: { ...page, revision }, revision, next: page.next });
    },
  });

  app.route({
    method: 'POST',
    url: `${WEBHOOK}/pause`,
    ...operation(docs.pauseWebhookDoc, parts),
    handler: async (request, reply) => {
      const call = { id: request.params.webhook, precondition: preconditionOf(request) };
      return answerWebhook(reply, await pauseWebhook(context, call));
    },
  });

  app.route({
    method: 'POST',
    url: `${WEBHOOK}/resume`,
    ...operation(docs.resumeWebhookDoc, parts),
    handler: async (request, reply) => {
      const call = { id: request.params.webhook, precondition: preconditionOf(request) };
      return answerWebhook(reply, await resumeWebhook(context, call));
    },
  });

  app.route({
    method: 'POST',
    url: `${WEBHOOK}/replay`,
    ...operation(docs.replayWebhookDoc, { ...parts, body: replayBody }),
    handler: async (request, reply) => {
      const call = { id: request.params.webhook, precondition: preconditionOf(request) };
      return answerWebhook(reply, await replayWebhook(context, { ...call, ...request.body }));
    },
  });

  app.route({
    method: 'POST',
    url: `${WEBHOOK}/rotate-secret`,
    ...operation(docs.rotateWebhookSecretDoc, { ...parts, body: rotateBody }),
    handler: async (request, reply) => {
      const call = { id: request.params.webhook, precondition: preconditionOf(request) };
      const rotated = await rotateWebhookSecret(context, { ...call, ...request.body });
      const { secret, previousExpiresAt } = rotated;
      return { ...answerWebhook(reply, rotated), secret, previousExpiresAt };
    },
  });
}
