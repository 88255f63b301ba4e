import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { approveChangeset } from '../../commands/approve-changeset.js';
import { commitChangeset } from '../../commands/commit-changeset.js';
import type { Context } from '../../commands/context.js';
import { createChangeset } from '../../commands/create-changeset.js';
import { discardChangeset } from '../../commands/discard-changeset.js';
import { rebaseChangeset } from '../../commands/rebase-changeset.js';
import { scheduleChangeset } from '../../commands/schedule-changeset.js';
import { unscheduleChangeset } from '../../commands/unschedule-changeset.js';
import { validateChangeset } from '../../commands/validate-changeset.js';
import type { ChangesetView } from '../../domain/changeset.js';
import { getChangeset } from '../../queries/get-changeset.js';
import { listChangesets } from '../../queries/list-changesets.js';
import { listMembers } from '../../queries/list-members.js';
import { answerCommit, answerRead, preconditionOf } from '../answers.js';
import { idempotencyOf } from '../idempotency.js';
import * as docs from '../openapi/changesets-docs.js';
import { operation } from '../openapi/operation.js';
import { commitPendingBody } from '../schemas/bodies.js';
import {
  approveBody,
  createChangesetBody,
  rebaseChangesetBody,
  scheduleBody,
} from '../schemas/changesets.js';
import {
  authorHeaders,
  commitHeaders,
  deleteHeaders,
  readHeaders,
  rebaseHeaders,
} from '../schemas/headers.js';
import { pagingQuery } from '../schemas/list-query.js';
import { changesetParams } from '../schemas/paths.js';
import { given, type Server } from '../server.js';

const CHANGESETS = '/v1/changesets';
const CHANGESET = `${CHANGESETS}/:changeset`;

const changesetsQuery = z.strictObject({
  state: z
    .enum(['open', 'scheduled', 'committed', 'discarded'])
    .meta({ description: 'Only changesets in this state.' })
    .optional(),
  ...pagingQuery,
});

export function changesetsRoutes(app: Server, context: Context): void {
  readingRoutes(app, context);
  endingRoutes(app, context);
  preparingRoutes(app, context);
}

function readingRoutes(app: Server, context: Context): void {
  app.route({
    method: 'POST',
    url: CHANGESETS,
    ...operation(docs.createChangesetDoc, { headers: authorHeaders, body: createChangesetBody }),
    handler: async (request, reply) => {
      const { title, message } = request.body;
      const created = await createChangeset(context, { title, ...given({ message }), actor: request.actor });
      reply.code(201).header('Location', `${CHANGESETS}/${created.changeset.id}`);
      return answerChangeset(reply, created);
    },
  });

  app.route({
    method: 'GET',
    url: CHANGESETS,
    ...operation(docs.listChangesetsDoc, { querystring: changesetsQuery, headers: readHeaders }),
    handler: async (request, reply) => {
      const { limit, ...wanted } = request.query;
      const { page, revision } = await listChangesets(context, { limit, ...given(wanted) });
      return answerRead(request, reply, { body: { ...page, revision }, revision, next: page.next });
    },
  });

  app.route({
    method: 'GET',
    url: CHANGESET,
    ...operation(docs.getChangesetDoc, { params: changesetParams, headers: readHeaders }),
    handler: async (request, reply) => {
      const { changeset, tag, revision } = await getChangeset(context, { id: request.params.changeset });
      return answerRead(request, reply, { body: changeset, tag, revision });
    },
  });

  app.route({
    method: 'GET',
    url: `${CHANGESET}/pending`,
    ...operation(docs.listMembersDoc, {
      params: changesetParams,
      querystring: z.strictObject(pagingQuery),
      headers: readHeaders,
    }),
    handler: async (request, reply) => {
      const { limit, cursor } = request.query;
      const { changeset } = request.params;
      const { page, revision } = await listMembers(context, { changeset, limit, ...given({ cursor }) });
      return answerRead(request, reply, { body: { ...page, revision }, revision, next: page.next });
    },
  });
}

function endingRoutes(app: Server, context: Context): void {
  app.route({
    method: 'POST',
    url: `${CHANGESET}/validate`,
    ...operation(docs.validateChangesetDoc, { params: changesetParams }),
    handler: async (request, reply) => {
      const { report, tag, revision } = await validateChangeset(context, { id: request.params.changeset });
      reply.headers({ ETag: tag, 'Diptych-Revision': String(revision), 'Cache-Control': 'no-store' });
      return report;
    },
  });

  app.route({
    method: 'POST',
    url: `${CHANGESET}/rebase`,
    ...operation(docs.rebaseChangesetDoc, {
      params: changesetParams,
      headers: rebaseHeaders,
      body: rebaseChangesetBody,
    }),
    handler: async (request, reply) => {
      const { result, tag, revision } = await rebaseChangeset(context, {
        id: request.params.changeset,
        resolutions: request.body.resolutions ?? [],
        precondition: preconditionOf(request),
        actor: request.actor,
      });
      reply.headers({ ETag: tag, 'Diptych-Revision': String(revision), 'Cache-Control': 'no-store' });
      return result;
    },
  });

  app.route({
    method: 'POST',
    url: `${CHANGESET}/commit`,
    ...operation(docs.commitChangesetDoc, {
      params: changesetParams,
      headers: commitHeaders,
      body: commitPendingBody,
    }),
    handler: async (request, reply) => {
      const committed = await commitChangeset(context, {
        id: request.params.changeset,
        precondition: preconditionOf(request),
        ...given(request.body),
        actor: request.actor,
        ...idempotencyOf(request),
      });
      return answerCommit(reply, committed);
    },
  });

  app.route({
    method: 'POST',
    url: `${CHANGESET}/discard`,
    ...operation(docs.discardChangesetDoc, { params: changesetParams, headers: deleteHeaders }),
    handler: async (request, reply) => {
      const discarded = await discardChangeset(context, {
        id: request.params.changeset,
        precondition: preconditionOf(request),
        actor: request.actor,
      });
      return answerChangeset(reply, discarded);
    },
  });
}

function preparingRoutes(app: Server, context: Context): void {
  app.route({
    method: 'POST',
    url: `${CHANGESET}/approve`,
    ...operation(docs.approveChangesetDoc, {
      params: changesetParams,
      headers: deleteHeaders,
      body: approveBody,
    }),
    handler: async (request, reply) => {
      const approved = await approveChangeset(context, {
        id: request.params.changeset,
        ...given(request.body),
        precondition: preconditionOf(request),
        actor: request.actor,
      });
      return answerChangeset(reply, approved);
    },
  });

  app.route({
    method: 'POST',
    url: `${CHANGESET}/schedule`,
    ...operation(docs.scheduleChangesetDoc, {
      params: changesetParams,
      headers: deleteHeaders,
      body: scheduleBody,
    }),
    handler: async (request, reply) => {
      const { commitAt, receipt } = request.body;
      const { report, ...scheduled } = await scheduleChangeset(context, {
        id: request.params.changeset,
        commitAt,
        ...given({ receipt }),
        precondition: preconditionOf(request),
        actor: request.actor,
      });
      return { ...answerChangeset(reply, scheduled), report };
    },
  });

  app.route({
    method: 'POST',
    url: `${CHANGESET}/unschedule`,
    ...operation(docs.unscheduleChangesetDoc, { params: changesetParams }),
    handler: async (request, reply) =>
      answerChangeset(reply, await unscheduleChangeset(context, { id: request.params.changeset })),
  });
}

/** Answers a write with the changeset as it is now. */
function answerChangeset(
  reply: FastifyReply,
  { changeset, tag, revision }: { changeset: ChangesetView; tag: string; revision: number },
): ChangesetView {
  reply.headers({ ETag: tag, 'Diptych-Revision': String(revision), 'Cache-Control': 'no-store' });
  return changeset;
}
