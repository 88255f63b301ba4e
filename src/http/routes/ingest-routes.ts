import type { Context } from '../../commands/context.js';
import { ingestRows } from '../../commands/ingest-rows.js';
import { refuseBody } from '../../domain/ingest-report.js';
import { idempotencyOf } from '../idempotency.js';
import { ingestRowsDoc } from '../openapi/ingest-docs.js';
import { operation } from '../openapi/operation.js';
import { directCommitHeaders } from '../schemas/headers.js';
import { ingestBody, ingestQuery } from '../schemas/ingest.js';
import { collectionParams } from '../schemas/paths.js';
import type { Server } from '../server.js';

export function ingestRoutes(app: Server, context: Context): void {
  const { schema, config } = operation(ingestRowsDoc, {
    params: collectionParams,
    querystring: ingestQuery,
    headers: directCommitHeaders,
    body: ingestBody,
  });
  app.route({
    method: 'POST',
    url: '/v1/collections/:collection/ingest',
    schema,
    config: { ...config, refusalOfBody: refuseBody },
    handler: async (request, reply) => {
      const { keyField, rowKindField, changeset = null, commit } = request.query;
      const { report, revision, replayed } = await ingestRows(context, {
        ...request.params,
        body: request.body,
        fields: { keyField, rowKindField },
        changeset,
        commit,
        actor: request.actor,
        ...(commit ? idempotencyOf(request) : {}),
      });
      reply.headers({ 'Diptych-Revision': String(revision), 'Cache-Control': 'no-store' });
      if (replayed) reply.header('Idempotency-Replayed', 'true');
      return report;
    },
  });
}
