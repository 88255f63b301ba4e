import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { Definition } from '../../domain/collection.js';
import { isPointer } from '../../lib/json-pointer.js';
import type { JsonValue } from '../../lib/json-value.js';
import {
  CHANGES_MAX,
  collectionName,
  jsonObject,
  jsonValue,
  messageText,
  recordKey,
  VERSION_MAX,
} from './primitives.js';
import { readData, readPuts, readReceipt } from './quick-bodies.js';
import { quickly } from './quickly.js';
import { resolutionsMember } from './resolutions.js';

const FORCE = 'Go back although today’s rules say no; needs the `admin` permission, and the log says so.';

const dataMember = jsonObject.meta({
  description: 'The content of the record: any JSON object that the definition allows.',
});

/** `PUT …/pending`. */
export const stageBody = quickly(
  z
    .strictObject({
      operation: z
        .enum(['upsert', 'delete'])
        .default('upsert')
        .meta({ description: 'What committing will do; `delete` takes no `data`.' }),
      data: dataMember.optional(),
      message: messageText.nullish(),
      baseVersion: z.int().min(1).max(VERSION_MAX).nullish().meta({
        description:
          'The version that you started from, null for none: 409 `base-outdated` when it is no longer current.',
      }),
    })
    .superRefine((body, context) => {
      if (body.operation === 'upsert' && body.data === undefined) {
        context.addIssue({
          code: 'custom',
          path: ['data'],
          message: 'Must be given.',
          params: { code: 'required' },
        });
      }
      if (body.operation === 'delete' && body.data !== undefined) {
        context.addIssue({ code: 'custom', path: ['data'], message: 'A deletion has no data.' });
      }
    }),
  readData,
);

// Not by a regular expression of the whole: one that is millions of characters long would exhaust its stack.
const jsonPointer = z
  .string()
  .refine(isPointer, 'Must be a JSON Pointer (RFC 6901).')
  .meta({ pattern: '^(?:\\/(?:[^~]|~[01])*)?$' });

// Members beyond those of its operation are ignored, as RFC 6902 asks.
const patchOperation = z.discriminatedUnion('op', [
  z.object({ op: z.enum(['add', 'replace', 'test']), path: jsonPointer, value: jsonValue }),
  z.object({ op: z.literal('remove'), path: jsonPointer }),
  z.object({ op: z.enum(['move', 'copy']), from: jsonPointer, path: jsonPointer }),
]);

export const jsonPatchOperations = z.array(patchOperation);

/** `PATCH …/pending` with application/merge-patch+json. */
export const mergePatchBody = jsonValue.transform((patch: JsonValue) => ({ type: 'merge' as const, patch }));

/** `PATCH …/pending` with application/json-patch+json. */
export const jsonPatchBody = jsonPatchOperations.transform((operations) => ({
  type: 'json' as const,
  operations,
}));

export const patchBody = z.union([mergePatchBody, jsonPatchBody]);

/** `POST …/pending/rebase`. */
export const rebasePendingBody = z
  .strictObject({
    resolutions: resolutionsMember.optional(),
  })
  .default({});

/** A body that may be left out, and holds nothing when it is there. */
export const emptyBody = z.strictObject({}).default({});

export const receiptText = z
  .string()
  .min(1)
  .meta({ description: 'The `receipt` of a validation: commit exactly what it judged.' });

/** `POST …/pending/commit`. */
export const commitPendingBody = quickly(
  z
    .strictObject({
      message: messageText.optional(),
      receipt: receiptText.optional(),
    })
    .default({}),
  readReceipt,
);

/** `POST …/rollback`. */
export const rollbackBody = z.strictObject({
  toVersion: z.int().min(1).max(VERSION_MAX).meta({ description: 'The committed version to go back to.' }),
  message: messageText.optional(),
  force: z.boolean().default(false).meta({ description: FORCE }),
});

/** `POST …/revert`. */
export const revertBody = z
  .strictObject({
    message: messageText.optional(),
    dryRun: z.boolean().default(false).meta({ description: 'Run everything, and write nothing.' }),
    force: z.boolean().default(false).meta({ description: FORCE }),
  })
  .default({ dryRun: false, force: false });

/** What may be done to a record, and the members that say to which. */
function changeOf<const Target extends z.core.$ZodLooseShape>(target: Target) {
  return z.discriminatedUnion('operation', [
    z.strictObject({ operation: z.literal('put'), ...target, data: dataMember }),
    z.strictObject({
      operation: z.literal('merge'),
      ...target,
      patch: jsonObject.meta({ description: 'JSON Merge Patch (RFC 7396) on `data`.' }),
    }),
    z.strictObject({
      operation: z.literal('patch'),
      ...target,
      patch: jsonPatchOperations.meta({ description: 'JSON Patch (RFC 6902) on `data`.' }),
    }),
    z.strictObject({ operation: z.literal('delete'), ...target }),
  ]);
}

const change = changeOf({
  collection: collectionName,
  key: recordKey,
  ifVersion: z.int().min(0).max(VERSION_MAX).optional().meta({
    description: 'The version that must be current, or 0: the record must not exist. 409 otherwise.',
  }),
});

/** A line of `POST /v1/changesets/{changeset}/stage`. */
export const stagedLine = changeOf({
  collection: collectionName,
  key: recordKey,
  message: messageText.nullish(),
});

/** Its body: a stream, which is not looked at before it is read. */
export const linesBody = z
  .custom<Readable | undefined>(() => true)
  .meta({
    type: 'string',
    description:
      'A JSON text on each line: `{collection, key, operation: "put"|"merge"|"patch"|"delete", data|patch, message?}`.',
  });

/** `POST /v1/commits`. */
export const commitChangesBody = quickly(
  z.strictObject({
    changes: z.array(change).min(1).max(CHANGES_MAX),
    message: messageText.optional(),
    dryRun: z.boolean().default(false).meta({ description: 'Run everything, and write nothing.' }),
  }),
  readPuts,
);

const text = z.string();

/** The body of `PUT /v1/collections/{collection}`. */
export const definitionSchema = z
  .strictObject({
    title: text.optional(),
    description: text.optional(),
    schema: jsonObject.optional().meta({
      description:
        'JSON Schema 2020-12 for `data`. An array of objects may carry the annotation `mergeKey`, the name of the member that identifies an item: rebasing then merges such arrays item by item instead of as wholes. Validation takes no notice of it.',
    }),
    rules: z
      .array(
        z.strictObject({
          id: text,
          assert: text.meta({ description: 'CEL expression that must hold.' }),
          when: text.optional().meta({ description: 'CEL expression; the rule is judged where it holds.' }),
          message: text,
          severity: z.enum(['error', 'warning']).optional(),
          pointer: text.optional(),
        }),
      )
      .optional()
      .meta({ description: 'CEL over `data`, `current` (committed data or null), `key` and `operation`.' }),
    unique: z
      .array(z.array(text))
      .optional()
      .meta({ description: 'Lists of JSON Pointers whose values together are unique among live records.' }),
    references: z
      .array(z.strictObject({ pointer: text, collection: text, onDelete: z.literal('restrict').optional() }))
      .optional()
      .meta({ description: 'Members that hold the key of a live record of another collection.' }),
    retention: z
      .strictObject({
        keepVersions: z.int().min(1).optional(),
        keepDays: z.int().min(1).optional(),
        onExpire: z.enum(['archive', 'delete']).optional(),
      })
      .optional(),
    approvals: z.strictObject({ required: z.int().nonnegative() }).optional(),
    indexes: z.array(text).optional().meta({
      description:
        'JSON Pointers into `data` that filters and sorts are fast on. A new one is built beside everything else; `indexes` of the collection tells how far it is.',
    }),
    mirror: z.boolean().optional().meta({
      description:
        'Whether the committed state is kept as a table of the database as well, in the schema `mirror` and the publication `diptych`, for readers of change data capture. Turning it on enters all live records while commits wait.',
    }),
  })
  .meta({ id: 'Definition', description: 'What a collection demands of its records.' });

// The command and the schema must not drift apart; this line fails to compile when they do.
export const definitionBody: z.ZodType<Definition> = definitionSchema;

export const collectionSchema = z
  .object({
    name: z.string(),
    definition: definitionSchema,
    definitionNumber: z.int().min(1).meta({ description: 'Counts the definitions from 1.' }),
    revision: z.int().min(1).meta({ description: 'Revision at which this one came into force.' }),
    updatedAt: z.iso.datetime(),
    updatedBy: z.string(),
    indexes: z
      .array(
        z.object({
          pointer: z.string(),
          state: z
            .enum(['building', 'ready'])
            .meta({ description: 'Lists are right all the time, and fast once it is `ready`.' }),
          recordsDone: z
            .int()
            .nonnegative()
            .nullable()
            .meta({ description: 'Records that have been looked at so far; null once it is ready.' }),
        }),
      )
      .meta({ description: 'The indexes that the definition asks for, and how far each is.' }),
  })
  .meta({ id: 'Collection', description: 'A named set of records with one definition.' });

export const definitionVersionSchema = z
  .object({
    collection: z.string(),
    number: z.int().min(1).meta({ description: 'Counts the definitions of the collection from 1.' }),
    revision: z.int().min(1).meta({ description: 'Revision at which it came into force.' }),
    definition: definitionSchema,
    digest: z.string().meta({ description: 'SHA-256 of its canonical JSON (RFC 8785).' }),
    committedAt: z.iso.datetime(),
    committedBy: z.string(),
    current: z.boolean().meta({ description: 'Whether it is in force.' }),
  })
  .meta({ id: 'DefinitionVersion', description: 'One of the definitions that a collection has had.' });
