import { z } from 'zod';
import { failureSchema, pageOf } from '../schemas/answers.js';
import { collectionSchema, definitionVersionSchema } from '../schemas/bodies.js';
import * as examples from './examples.js';
import type { OperationDoc } from './operation.js';
import { listSuccesses, readSuccesses } from './successes.js';

const impactSchema = z
  .object({
    dryRun: z.literal(true),
    live: z.object({
      checked: z.int(),
      failing: z.int(),
      sample: z.array(z.object({ key: z.string(), errors: z.array(failureSchema) })),
    }),
    pending: z.object({
      checked: z.int(),
      failing: z.int(),
      sample: z.array(
        z.object({ key: z.string(), changeset: z.string().nullable(), errors: z.array(failureSchema) }),
      ),
    }),
    durationMs: z.number(),
  })
  .meta({ id: 'DefinitionImpact', description: 'What a definition would do to the records that exist.' });

const collectionPageSchema = pageOf(collectionSchema).meta({ id: 'CollectionPage' });

const definitionPageSchema = pageOf(definitionVersionSchema).meta({ id: 'DefinitionPage' });

const TAG = 'Collections';

export const putCollectionDoc: OperationDoc = {
  id: 'putCollection',
  tag: TAG,
  summary: 'Create a collection, or give it another definition',
  description:
    'A collection is a named set of records with one definition of what they must be: a JSON Schema, rules over each change, unique values, references. An empty definition `{}` allows every JSON object.\n\n' +
    'Creating needs no precondition, and neither does repeating the definition in force. Replacing it by another needs `If-Match` with the `ETag` of the one that you saw. While live records would break the new definition it is refused; `dryRun=true` shows the impact and saves nothing. A new definition is an entry of the commit log.\n\nPaths in `indexes` are built after the answer, beside reads and writes; `indexes` in the answers tells how far each is. Until it is ready, lists are right but slower.\n\n`mirror: true` keeps the committed state of the collection as a table `mirror.<collection>` of the database as well, in the publication `diptych`, for Debezium, SeaTunnel and other readers of change data capture: they get every update as its row before and after, one transaction for each group of commits, and never anything pending. Turning it on enters all live records while commits wait; turning it off removes the table.\n\nThe impact counts all live and pending records and shows up to 20 of each that would break the definition. A pending version is judged as its commit would judge it: alone against the live records, or with all members of its changeset. Commits go on meanwhile. Judging very many records by costly rules is refused with `work-limit`.',
  successes: {
    200: {
      description: 'The definition in force. With `dryRun=true`: the impact, and nothing was saved.',
      schema: z.union([collectionSchema, impactSchema]),
      headers: ['Diptych-Revision'],
      optionalHeaders: ['ETag'],
      example: examples.collection,
    },
    201: {
      description: 'The collection was created.',
      schema: collectionSchema,
      headers: ['ETag', 'Diptych-Revision', 'Location'],
      example: examples.collection,
    },
  },
  refusals: [
    'definition-invalid',
    'definition-conflict',
    'mirror-blocked',
    'permission-required',
    'work-limit',
    'precondition-failed',
    'precondition-required',
    'outcome-unknown',
  ],
  bodyExamples: {
    'application/json': {
      products: { summary: 'Products with a price rule', value: examples.definition },
      empty: { summary: 'Anything goes', value: {} },
    },
  },
};

export const getCollectionDoc: OperationDoc = {
  id: 'getCollection',
  tag: TAG,
  summary: 'Read a collection and its definition',
  description:
    'The definition in force, and how far its indexes are. Its `ETag` is what replacing or deleting the collection asks for; how far an index is does not matter there.',
  successes: readSuccesses('The collection.', collectionSchema, examples.collection),
  refusals: ['collection-not-found'],
};

export const listCollectionsDoc: OperationDoc = {
  id: 'listCollections',
  tag: TAG,
  summary: 'List the collections',
  description: 'All collections by name.',
  successes: listSuccesses(
    'A page of collections.',
    collectionPageSchema,
    examples.page(examples.collection, 1),
  ),
  refusals: ['cursor-invalid'],
};

export const listDefinitionsDoc: OperationDoc = {
  id: 'listDefinitions',
  tag: TAG,
  summary: 'List the definitions that a collection has had',
  description:
    'Newest first. Definitions never change; a new one is an entry of the commit log, and the numbers go on where a collection is deleted and created again.',
  successes: listSuccesses(
    'A page of definitions.',
    definitionPageSchema,
    examples.page(examples.definitionVersion, 1),
  ),
  refusals: ['collection-not-found', 'cursor-invalid'],
};

export const getDefinitionDoc: OperationDoc = {
  id: 'getDefinition',
  tag: TAG,
  summary: 'Read one definition of a collection',
  description: 'The definition with this number, whether it is in force or was.',
  successes: readSuccesses('The definition.', definitionVersionSchema, examples.definitionVersion),
  refusals: ['collection-not-found', 'definition-not-found'],
};

export const deleteCollectionDoc: OperationDoc = {
  id: 'deleteCollection',
  tag: 'Cleaning up',
  summary: 'Delete an empty collection',
  description:
    'Only while it has no live records and no pending versions, and no other definition refers to it. `If-Match` is optional here. The history of its records stays in the commit log.',
  successes: { 204: { description: 'Deleted.', headers: ['Diptych-Revision'] } },
  refusals: [
    'collection-not-found',
    'collection-in-use',
    'mirror-blocked',
    'precondition-failed',
    'outcome-unknown',
  ],
};
