import { approveChangeset } from '../../commands/approve-changeset.js';
import { commitChangeset } from '../../commands/commit-changeset.js';
import type { Context } from '../../commands/context.js';
import { discardChangeset } from '../../commands/discard-changeset.js';
import { rebaseChangeset } from '../../commands/rebase-changeset.js';
import { scheduleChangeset } from '../../commands/schedule-changeset.js';
import { unscheduleChangeset } from '../../commands/unschedule-changeset.js';
import { validateChangeset } from '../../commands/validate-changeset.js';
import { answerChangeset, answerCommit, preconditionOf } from '../answers.js';
import { idempotencyOf } from '../idempotency.js';
import * as docs from '../openapi/changesets-docs.js';
import { operation } from '../openapi/operation.js';
import { commitPendingBody } from '../schemas/bodies.js';
import { approveBody, rebaseChangesetBody, scheduleBody } from '../schemas/changesets.js';
import { commitHeaders, deleteHeaders, rebaseHeaders } from '../schemas/headers.js';
import { changesetParams } from '../schemas/paths.js';
import { given, type Server } from '../server.js';

const CHANGESET = '/v1/changesets/:changeset';

/** What becomes of a changeset, from its judgement to its end. */
export function changesetEndRoutes(app: Server, context: Context): void {
  judgingRoutes(app, context);
  closingRoutes(app, context);
}

function judgingRoutes(app: Server, context: Context): void {
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

function closingRoutes(app: Server, context: Context): void {
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
