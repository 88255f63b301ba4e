import { z } from 'zod';
import { commitChanges } from '../../commands/commit-changes.js';
import type { Context } from '../../commands/context.js';
import { revertCommit } from '../../commands/revert-commit.js';
import { findCommitByIdempotencyKey } from '../../queries/find-commit-by-idempotency-key.js';
import { getCommit } from '../../queries/get-commit.js';
import { listCommitChanges } from '../../queries/list-commit-changes.js';
import { listCommits } from '../../queries/list-commits.js';
import { answerCommit, answerRead } from '../answers.js';
import { idempotencyOf, toAnswered } from '../idempotency.js';
import * as docs from '../openapi/commits-docs.js';
import { operation } from '../openapi/operation.js';
import { commitChangesBody, revertBody } from '../schemas/bodies.js';
import { directCommitHeaders, logHeaders, readHeaders } from '../schemas/headers.js';
import { pagingQuery } from '../schemas/list-query.js';
import { commitParams } from '../schemas/paths.js';
import { idempotencyKeyText } from '../schemas/primitives.js';
import { given, type Server } from '../server.js';

const COMMITS = '/v1/commits';

const logQuery = z.strictObject({
  idempotencyKey: idempotencyKeyText
    .meta({ description: 'Only the commit that was made with this `Idempotency-Key`.' })
    .optional(),
  ...pagingQuery,
});

export function commitsRoutes(app: Server, context: Context): void {
  app.route({
    method: 'POST',
    url: COMMITS,
    ...operation(docs.commitChangesDoc, { headers: directCommitHeaders, body: commitChangesBody }),
    handler: async (request, reply) => {
      const { changes, message, dryRun } = request.body;
      const committed = await commitChanges(context, {
        changes,
        message,
        dryRun,
        actor: request.actor,
        ...idempotencyOf(request),
      });
      return answerCommit(reply, committed);
    },
  });

  app.route({
    method: 'GET',
    url: COMMITS,
    ...operation(docs.listCommitsDoc, { querystring: logQuery, headers: logHeaders }),
    handler: async (request, reply) => {
      const { limit, cursor, idempotencyKey: key } = request.query;
      if (key !== undefined) {
        const found = await findCommitByIdempotencyKey(context, { key, actor: request.actor });
        const outcome = found.outcome && toAnswered(found.outcome, request.id);
        return answerRead(request, reply, { body: { ...found, outcome }, revision: found.revision });
      }
      const { page, revision } = await listCommits(context, { limit, ...given({ cursor }) });
      return answerRead(request, reply, { body: { ...page, revision }, revision, next: page.next });
    },
  });

  app.route({
    method: 'GET',
    url: `${COMMITS}/:revision`,
    ...operation(docs.getCommitDoc, { params: commitParams, headers: readHeaders }),
    handler: async (request, reply) => {
      const { commit, revision } = await getCommit(context, request.params);
      return answerRead(request, reply, { body: commit, revision });
    },
  });

  app.route({
    method: 'GET',
    url: `${COMMITS}/:revision/changes`,
    ...operation(docs.listCommitChangesDoc, {
      params: commitParams,
      querystring: z.strictObject(pagingQuery),
      headers: readHeaders,
    }),
    handler: async (request, reply) => {
      const { limit, cursor } = request.query;
      const { page, revision } = await listCommitChanges(context, {
        ...request.params,
        limit,
        ...given({ cursor }),
      });
      return answerRead(request, reply, { body: { ...page, revision }, revision, next: page.next });
    },
  });

  app.route({
    method: 'POST',
    url: `${COMMITS}/:revision/revert`,
    ...operation(docs.revertCommitDoc, {
      params: commitParams,
      headers: directCommitHeaders,
      body: revertBody,
    }),
    handler: async (request, reply) => {
      const { dryRun, force, message } = request.body;
      const committed = await revertCommit(context, {
        ...request.params,
        dryRun,
        force,
        ...given({ message }),
        actor: request.actor,
        ...idempotencyOf(request),
      });
      return answerCommit(reply, committed);
    },
  });
}
