import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { commitPending } from '../../commands/commit-pending.js';
import type { Context } from '../../commands/context.js';
import { discardPending } from '../../commands/discard-pending.js';
import { patchPending } from '../../commands/patch-pending.js';
import { rebasePending } from '../../commands/rebase-pending.js';
import { stagePending } from '../../commands/stage-pending.js';
import type { PendingAddress } from '../../commands/steps/lock-pending.js';
import { validatePending } from '../../commands/validate-pending.js';
import type { PendingView } from '../../domain/record.js';
import { diffPending } from '../../queries/diff-pending.js';
import { getPending } from '../../queries/get-pending.js';
import { listPending } from '../../queries/list-pending.js';
import { answerCommit, answerRead, preconditionOf } from '../answers.js';
import { idempotencyOf } from '../idempotency.js';
import { operation } from '../openapi/operation.js';
import * as docs from '../openapi/pending-docs.js';
import { commitPendingBody, patchBody, rebasePendingBody, stageBody } from '../schemas/bodies.js';
import {
  commitHeaders,
  discardHeaders,
  readHeaders,
  rebaseHeaders,
  writeHeaders,
} from '../schemas/headers.js';
import { pagingQuery } from '../schemas/list-query.js';
import { changesetQuery, recordParams } from '../schemas/paths.js';
import { booleanText, changesetId, collectionName } from '../schemas/primitives.js';
import { given, type Server } from '../server.js';

const PENDING = '/v1/collections/:collection/records/:key/pending';

const waitingQuery = z.strictObject({
  collection: collectionName.optional(),
  changeset: changesetId.optional(),
  outdated: booleanText({
    description: 'Only those whose record has, or has not, moved since they were started.',
  }).optional(),
  ...pagingQuery,
});

interface Staged {
  created: boolean;
  pending: PendingView;
  tag: string;
  revision: number;
}

export function pendingRoutes(app: Server, context: Context): void {
  stagingRoutes(app, context);
  readingRoutes(app, context);
  endingRoutes(app, context);
}

function stagingRoutes(app: Server, context: Context): void {
  app.route({
    method: 'PUT',
    url: PENDING,
    ...operation(docs.stagePendingDoc, {
      params: recordParams,
      querystring: changesetQuery,
      headers: writeHeaders,
      body: stageBody,
    }),
    handler: async (request, reply) => {
      const { operation, data, message, baseVersion } = request.body;
      const staged = await stagePending(context, {
        staged: operation === 'delete' ? { operation } : { operation, data: data ?? {} },
        message,
        baseVersion,
        precondition: preconditionOf(request),
        actor: request.actor,
        ...addressOf(request),
      });
      return answerStaged(reply, staged);
    },
  });

  app.route({
    method: 'PATCH',
    url: PENDING,
    ...operation(docs.patchPendingDoc, {
      params: recordParams,
      querystring: changesetQuery,
      headers: writeHeaders,
      body: patchBody,
    }),
    handler: async (request, reply) => {
      const staged = await patchPending(context, {
        patch: request.body,
        precondition: preconditionOf(request),
        actor: request.actor,
        ...addressOf(request),
      });
      return answerStaged(reply, staged);
    },
  });
}

function readingRoutes(app: Server, context: Context): void {
  app.route({
    method: 'GET',
    url: PENDING,
    ...operation(docs.getPendingDoc, {
      params: recordParams,
      querystring: changesetQuery,
      headers: readHeaders,
    }),
    handler: async (request, reply) => {
      const { pending, tag, revision } = await getPending(context, addressOf(request));
      return answerRead(request, reply, { body: pending, tag, revision });
    },
  });

  app.route({
    method: 'GET',
    url: `${PENDING}/diff`,
    ...operation(docs.diffPendingDoc, {
      params: recordParams,
      querystring: changesetQuery,
      headers: readHeaders,
    }),
    handler: async (request, reply) => {
      const { diff, revision } = await diffPending(context, addressOf(request));
      return answerRead(request, reply, { body: diff, revision });
    },
  });
}

function endingRoutes(app: Server, context: Context): void {
  app.route({
    method: 'POST',
    url: `${PENDING}/validate`,
    ...operation(docs.validatePendingDoc, {
      params: recordParams,
      querystring: changesetQuery,
    }),
    handler: async (request, reply) => {
      const { report, tag, revision } = await validatePending(context, addressOf(request));
      reply.headers({ etag: tag, 'diptych-revision': String(revision), 'cache-control': 'no-store' });
      return report;
    },
  });

  app.route({
    method: 'POST',
    url: `${PENDING}/rebase`,
    ...operation(docs.rebasePendingDoc, {
      params: recordParams,
      querystring: changesetQuery,
      headers: rebaseHeaders,
      body: rebasePendingBody,
    }),
    handler: async (request, reply) => {
      const rebased = await rebasePending(context, {
        resolutions: request.body.resolutions ?? new Map(),
        precondition: preconditionOf(request),
        actor: request.actor,
        ...addressOf(request),
      });
      return answerStaged(reply, rebased);
    },
  });

  app.route({
    method: 'POST',
    url: `${PENDING}/commit`,
    ...operation(docs.commitPendingDoc, {
      params: recordParams,
      querystring: changesetQuery,
      headers: commitHeaders,
      body: commitPendingBody,
    }),
    handler: async (request, reply) => {
      const committed = await commitPending(context, {
        precondition: preconditionOf(request),
        actor: request.actor,
        ...addressOf(request),
        ...given(request.body),
        ...idempotencyOf(request),
      });
      return answerCommit(reply, committed);
    },
  });

  app.route({
    method: 'DELETE',
    url: PENDING,
    ...operation(docs.discardPendingDoc, {
      params: recordParams,
      querystring: changesetQuery,
      headers: discardHeaders,
    }),
    handler: async (request, reply) => {
      const { revision } = await discardPending(context, {
        precondition: preconditionOf(request),
        ...addressOf(request),
      });
      return reply.code(204).header('diptych-revision', String(revision)).send();
    },
  });

  app.route({
    method: 'GET',
    url: '/v1/pending',
    ...operation(docs.listPendingDoc, { querystring: waitingQuery, headers: readHeaders }),
    handler: async (request, reply) => {
      const { limit, ...wanted } = request.query;
      const { page, revision } = await listPending(context, { limit, ...given(wanted) });
      return answerRead(request, reply, { body: { ...page, revision }, revision, next: page.next });
    },
  });
}

/** Which pending version is meant. To be spread last: members that follow a spread are added one by one, which is slow. */
function addressOf({
  params,
  query,
}: {
  params: { collection: string; key: string };
  query: { changeset?: string | undefined };
}): PendingAddress {
  return { collection: params.collection, key: params.key, changeset: query.changeset ?? null };
}

function answerStaged(reply: FastifyReply, { created, pending, tag, revision }: Staged): PendingView {
  reply.headers({ etag: tag, 'diptych-revision': String(revision), 'cache-control': 'no-store' });
  if (created) {
    const query = pending.changeset === null ? '' : `?changeset=${pending.changeset}`;
    const record = `/v1/collections/${pending.collection}/records/${encodeURIComponent(pending.key)}`;
    reply.code(201).header('location', `${record}/pending${query}`);
  }
  return pending;
}
