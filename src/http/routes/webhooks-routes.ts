import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Context } from '../../commands/context.js';
import { createWebhook } from '../../commands/create-webhook.js';
import { deleteWebhook } from '../../commands/delete-webhook.js';
import { replaceWebhook } from '../../commands/replace-webhook.js';
import { getWebhook } from '../../queries/get-webhook.js';
import { listWebhooks } from '../../queries/list-webhooks.js';
import { answerRead, preconditionOf } from '../answers.js';
import { operation } from '../openapi/operation.js';
import * as docs from '../openapi/webhooks-docs.js';
import { authorHeaders, deleteHeaders, readHeaders } from '../schemas/headers.js';
import { pagingQuery } from '../schemas/list-query.js';
import { webhookParams } from '../schemas/paths.js';
import { contentOf, createWebhookBody, replaceWebhookBody } from '../schemas/webhooks.js';
import { given, type Server } from '../server.js';

const WEBHOOKS = '/v1/webhooks';
export const WEBHOOK = `${WEBHOOKS}/:webhook`;

export function webhooksRoutes(app: Server, context: Context): void {
  app.route({
    method: 'POST',
    url: WEBHOOKS,
    ...operation(docs.createWebhookDoc, { headers: authorHeaders, body: createWebhookBody }),
    handler: async (request, reply) => {
      const { after, ...content } = request.body;
      const created = await createWebhook(context, { ...contentOf(content), after, actor: request.actor });
      reply.code(201).header('Location', `${WEBHOOKS}/${created.webhook.id}`);
      return { ...answerWebhook(reply, created), secret: created.secret };
    },
  });

  app.route({
    method: 'GET',
    url: WEBHOOKS,
    ...operation(docs.listWebhooksDoc, { querystring: z.strictObject(pagingQuery), headers: readHeaders }),
    handler: async (request, reply) => {
      const { limit, cursor } = request.query;
      const { page, revision } = await listWebhooks(context, { limit, ...given({ cursor }) });
      return answerRead(request, reply, { body: { ...page, revision }, revision, next: page.next });
    },
  });

  app.route({
    method: 'GET',
    url: WEBHOOK,
    ...operation(docs.getWebhookDoc, { params: webhookParams, headers: readHeaders }),
    handler: async (request, reply) => {
      const { webhook, tag, revision } = await getWebhook(context, { id: request.params.webhook });
      return answerRead(request, reply, { body: webhook, tag, revision });
    },
  });

  app.route({
    method: 'PUT',
    url: WEBHOOK,
    ...operation(docs.replaceWebhookDoc, {
      params: webhookParams,
      headers: deleteHeaders,
      body: replaceWebhookBody,
    }),
    handler: async (request, reply) => {
      const call = { id: request.params.webhook, precondition: preconditionOf(request) };
      return answerWebhook(
        reply,
        await replaceWebhook(context, { ...call, content: contentOf(request.body) }),
      );
    },
  });

  app.route({
    method: 'DELETE',
    url: WEBHOOK,
    ...operation(docs.deleteWebhookDoc, { params: webhookParams, headers: deleteHeaders }),
    handler: async (request, reply) => {
      const call = { id: request.params.webhook, precondition: preconditionOf(request) };
      const { revision } = await deleteWebhook(context, call);
      return reply.code(204).header('Diptych-Revision', String(revision)).send();
    },
  });
}

/** Answers a write with the webhook as it is now. */
export function answerWebhook<View>(
  reply: FastifyReply,
  { webhook, tag, revision }: { webhook: View; tag: string; revision: number },
): View {
  reply.headers({ ETag: tag, 'Diptych-Revision': String(revision), 'Cache-Control': 'no-store' });
  return webhook;
}
