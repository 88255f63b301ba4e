import { z } from 'zod';
import type { Context } from '../../commands/context.js';
import { deleteCollection } from '../../commands/delete-collection.js';
import { putCollection } from '../../commands/put-collection.js';
import { rehearseDefinition } from '../../commands/rehearse-definition.js';
import { getCollection } from '../../queries/get-collection.js';
import { getDefinition } from '../../queries/get-definition.js';
import { listCollections } from '../../queries/list-collections.js';
import { listDefinitions } from '../../queries/list-definitions.js';
import { answerRead, preconditionOf } from '../answers.js';
import * as docs from '../openapi/collections-docs.js';
import { operation } from '../openapi/operation.js';
import { definitionBody } from '../schemas/bodies.js';
import { deleteHeaders, readHeaders, writeHeaders } from '../schemas/headers.js';
import { pagingQuery } from '../schemas/list-query.js';
import { collectionParams, definitionParams } from '../schemas/paths.js';
import { booleanText } from '../schemas/primitives.js';
import { given, type Server } from '../server.js';

const COLLECTIONS = '/v1/collections';
const COLLECTION = `${COLLECTIONS}/:collection`;

const dryRunQuery = z.strictObject({
  dryRun: booleanText({ description: 'Show what the definition would do, and save nothing.' }).optional(),
});

export function collectionsRoutes(app: Server, context: Context): void {
  app.route({
    method: 'PUT',
    url: COLLECTION,
    ...operation(docs.putCollectionDoc, {
      params: collectionParams,
      querystring: dryRunQuery,
      headers: writeHeaders,
      body: definitionBody,
    }),
    handler: async (request, reply) => {
      const { collection } = request.params;
      const input = { collection, definition: request.body, actor: request.actor };
      reply.header('Cache-Control', 'no-store');
      if (request.query.dryRun) {
        const { revision, ...impact } = await rehearseDefinition(context, input);
        reply.header('Diptych-Revision', String(revision));
        return impact;
      }
      const precondition = preconditionOf(request);
      const { created, view, tag, revision } = await putCollection(context, { ...input, precondition });
      reply.headers({ ETag: tag, 'Diptych-Revision': String(revision) });
      if (created) {
        reply.code(201).header('Location', `${COLLECTIONS}/${collection}`);
      }
      return view;
    },
  });

  app.route({
    method: 'GET',
    url: COLLECTION,
    ...operation(docs.getCollectionDoc, { params: collectionParams, headers: readHeaders }),
    handler: async (request, reply) => {
      const { view, tag, revision } = await getCollection(context, request.params);
      return answerRead(request, reply, { body: view, tag, revision });
    },
  });

  app.route({
    method: 'GET',
    url: COLLECTIONS,
    ...operation(docs.listCollectionsDoc, {
      querystring: z.strictObject(pagingQuery),
      headers: readHeaders,
    }),
    handler: async (request, reply) => {
      const { limit, cursor } = request.query;
      const { page, revision } = await listCollections(context, { limit, ...given({ cursor }) });
      return answerRead(request, reply, { body: { ...page, revision }, revision, next: page.next });
    },
  });

  app.route({
    method: 'GET',
    url: `${COLLECTION}/definitions`,
    ...operation(docs.listDefinitionsDoc, {
      params: collectionParams,
      querystring: z.strictObject(pagingQuery),
      headers: readHeaders,
    }),
    handler: async (request, reply) => {
      const { limit, cursor } = request.query;
      const { page, revision } = await listDefinitions(context, {
        ...request.params,
        limit,
        ...given({ cursor }),
      });
      return answerRead(request, reply, { body: { ...page, revision }, revision, next: page.next });
    },
  });

  app.route({
    method: 'GET',
    url: `${COLLECTION}/definitions/:number`,
    ...operation(docs.getDefinitionDoc, { params: definitionParams, headers: readHeaders }),
    handler: async (request, reply) => {
      const { definition, revision } = await getDefinition(context, request.params);
      return answerRead(request, reply, { body: definition, revision });
    },
  });

  app.route({
    method: 'DELETE',
    url: COLLECTION,
    ...operation(docs.deleteCollectionDoc, { params: collectionParams, headers: deleteHeaders }),
    handler: async (request, reply) => {
      const { revision } = await deleteCollection(context, {
        collection: request.params.collection,
        precondition: preconditionOf(request),
        actor: request.actor,
      });
      return reply.code(204).header('Diptych-Revision', String(revision)).send();
    },
  });
}
