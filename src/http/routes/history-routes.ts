import { z } from 'zod';
import type { Context } from '../../commands/context.js';
import { rollbackRecord } from '../../commands/rollback-record.js';
import { diffVersions } from '../../queries/diff-versions.js';
import { getVersion } from '../../queries/get-version.js';
import { listVersions } from '../../queries/list-versions.js';
import { answerCommit, answerRead, preconditionOf } from '../answers.js';
import { idempotencyOf } from '../idempotency.js';
import { operation } from '../openapi/operation.js';
import * as docs from '../openapi/records-docs.js';
import { rollbackBody } from '../schemas/bodies.js';
import { commitHeaders, readHeaders } from '../schemas/headers.js';
import { pagingQuery } from '../schemas/list-query.js';
import { recordParams, versionParams } from '../schemas/paths.js';
import { versionText } from '../schemas/primitives.js';
import { given, type Server } from '../server.js';

const RECORD = '/v1/collections/:collection/records/:key';

const againstQuery = z.strictObject({
  against: versionText
    .meta({ description: 'The version to compare with; the one before if not given.' })
    .optional(),
});

export function historyRoutes(app: Server, context: Context): void {
  app.route({
    method: 'GET',
    url: `${RECORD}/versions`,
    ...operation(docs.listVersionsDoc, {
      params: recordParams,
      querystring: z.strictObject(pagingQuery),
      headers: readHeaders,
    }),
    handler: async (request, reply) => {
      const { limit, cursor } = request.query;
      const { page, revision } = await listVersions(context, {
        ...request.params,
        limit,
        ...given({ cursor }),
      });
      return answerRead(request, reply, { body: { ...page, revision }, revision, next: page.next });
    },
  });

  app.route({
    method: 'GET',
    url: `${RECORD}/versions/:version`,
    ...operation(docs.getVersionDoc, { params: versionParams, headers: readHeaders }),
    handler: async (request, reply) => {
      const { version, tag, revision } = await getVersion(context, request.params);
      return answerRead(request, reply, { body: version, tag, revision });
    },
  });

  app.route({
    method: 'GET',
    url: `${RECORD}/versions/:version/diff`,
    ...operation(docs.diffVersionsDoc, {
      params: versionParams,
      querystring: againstQuery,
      headers: readHeaders,
    }),
    handler: async (request, reply) => {
      const { version: to, ...record } = request.params;
      const from = request.query.against ?? (to === 1 ? null : to - 1);
      const { diff, revision } = await diffVersions(context, { ...record, from, to });
      return answerRead(request, reply, { body: diff, revision });
    },
  });

  app.route({
    method: 'POST',
    url: `${RECORD}/rollback`,
    ...operation(docs.rollbackRecordDoc, {
      params: recordParams,
      headers: commitHeaders,
      body: rollbackBody,
    }),
    handler: async (request, reply) => {
      const { toVersion, force, message } = request.body;
      const committed = await rollbackRecord(context, {
        ...request.params,
        toVersion,
        force,
        ...given({ message }),
        precondition: preconditionOf(request),
        actor: request.actor,
        ...idempotencyOf(request),
      });
      return answerCommit(reply, committed);
    },
  });
}
