import type { Context } from '../../commands/context.js';
import { runRetention } from '../../commands/run-retention.js';
import { getRetention } from '../../queries/get-retention.js';
import { answerRead } from '../answers.js';
import { operation } from '../openapi/operation.js';
import * as docs from '../openapi/retention-docs.js';
import { readHeaders } from '../schemas/headers.js';
import { collectionParams } from '../schemas/paths.js';
import { retentionQuery, retentionRunBody } from '../schemas/retention.js';
import { given, type Server } from '../server.js';

const RETENTION = '/v1/collections/:collection/retention';

export function retentionRoutes(app: Server, context: Context): void {
  app.route({
    method: 'GET',
    url: RETENTION,
    ...operation(docs.getRetentionDoc, {
      params: collectionParams,
      querystring: retentionQuery,
      headers: readHeaders,
    }),
    handler: async (request, reply) => {
      const { limit, cursor, key, expiring = false } = request.query;
      const { view, revision } = await getRetention(context, {
        collection: request.params.collection,
        expiring,
        limit,
        ...given({ cursor, key }),
      });
      return answerRead(request, reply, { body: { ...view, revision }, revision, next: view.next });
    },
  });

  app.route({
    method: 'POST',
    url: `${RETENTION}/run`,
    ...operation(docs.runRetentionDoc, { params: collectionParams, body: retentionRunBody }),
    handler: async (request, reply) => {
      const { dryRun } = request.body;
      const { revision, ...result } = await runRetention(context, {
        collection: request.params.collection,
        dryRun,
        actor: request.actor,
      });
      reply.headers({ 'Diptych-Revision': String(revision), 'Cache-Control': 'no-store' });
      return { dryRun, ...result };
    },
  });
}
