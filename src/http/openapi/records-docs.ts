import { z } from 'zod';
import { NDJSON_TYPE } from '../plugins/bodies.js';
import {
  commitResultSchema,
  diffSchema,
  pageOf,
  previewRecordSchema,
  recordSchema,
  versionSchema,
  versionSummarySchema,
} from '../schemas/answers.js';
import * as examples from './examples.js';
import type { OperationDoc } from './operation.js';
import { commitSuccesses, listSuccesses, readSuccesses } from './successes.js';

const HISTORY = 'History';

const recordPageSchema = pageOf(recordSchema).meta({ id: 'RecordPage' });
const previewPageSchema = pageOf(previewRecordSchema).meta({ id: 'PreviewRecordPage' });
const versionPageSchema = pageOf(versionSummarySchema).meta({ id: 'VersionPage' });

export const getRecordDoc: OperationDoc = {
  id: 'getRecord',
  tag: 'Records',
  summary: 'Read a record',
  description:
    'The current version, and nothing of what is being prepared: a record that was never committed is 404 whether or not it has a pending version. With `revision` or `at`, the record as readers saw it then; 410 `revision-compacted` where retention has taken data of that time away.\n\n' +
    'With `changeset`, a preview: the record as it would be read if that changeset were committed now.',
  successes: readSuccesses(
    'The record; with `changeset`, its preview.',
    z.union([recordSchema, previewRecordSchema]),
    examples.record,
  ),
  refusals: [
    'collection-not-found',
    'record-not-found',
    'record-deleted',
    'changeset-not-found',
    'changeset-closed',
    'revision-not-found',
    'revision-compacted',
  ],
};

const recordPages = listSuccesses(
  'A page of records; with `changeset`, of their previews.',
  z.union([recordPageSchema, previewPageSchema]),
  examples.page(examples.record, 2),
);

const linesSchema = {
  type: 'string',
  description: 'A JSON text on each line: `{collection, key, operation: "put", data}`.',
};

export const listRecordsDoc: OperationDoc = {
  id: 'listRecords',
  tag: 'Records',
  summary: 'List records',
  description:
    'Records by key, or as `sort` says, with conditions on their content. Whatever is committed while you page, all pages that follow from one first page show the same revision; follow `next` (or the `Link` header) until it is null. A chain, or a `revision`, that retention has taken data of away gives 410 `revision-compacted`.\n\n' +
    'Example: `?filter[price][lte]=500&sort=-price&fields=name,price`. Filters and sorts are fast on the paths that the definition lists in `indexes`, whatever the size of the collection: a sort by such a path, `eq` and `in`, and `lt`, `lte`, `gt`, `gte`, `prefix` together with a sort by the same path, or where they let few records through. Values are ordered by type (null, booleans, numbers, texts, arrays, objects, and what is missing), texts code point by code point by their first 250 characters, and what is equal by `key`.\n\n' +
    'With `changeset`, a preview: the list as it would be if that changeset were committed now. All pages show one state of it: once it is edited, the next page is 410 `cursor-expired`.\n\n' +
    'With `Accept: application/x-ndjson`, the whole list at one revision as lines that `POST /v1/changesets/{id}/stage` takes: an export can be imported again, here or elsewhere. It takes no `limit`, `cursor` and `fields`. A connection that ends without the end of the answer says that it is not whole.',
  successes: {
    ...recordPages,
    200: {
      ...recordPages[200],
      alternatives: { [NDJSON_TYPE]: { schema: linesSchema, example: examples.exportedLines } },
    },
  },
  refusals: [
    'collection-not-found',
    'cursor-invalid',
    'cursor-expired',
    'revision-not-found',
    'revision-compacted',
    'changeset-not-found',
    'changeset-closed',
  ],
  // Without one, Swagger UI would make a filter up and send it.
  parameterExamples: { filter: { price: { gte: '100' } } },
};

export const listVersionsDoc: OperationDoc = {
  id: 'listVersions',
  tag: HISTORY,
  summary: 'List the committed versions of a record',
  description:
    'Newest first, each with every revision at which it became current. Also of a deleted record. Those whose data retention has archived or deleted stay in the list: `archived` and `deleted` say so.',
  successes: listSuccesses(
    'A page of versions.',
    versionPageSchema,
    examples.page(examples.versionSummary, 4),
  ),
  refusals: ['collection-not-found', 'record-not-found', 'cursor-invalid'],
};

export const getVersionDoc: OperationDoc = {
  id: 'getVersion',
  tag: HISTORY,
  summary: 'Read one committed version',
  description:
    'Its content never changes; `current` and `revisions` say where it stands now. Archived ones are read like any other; of deleted ones the data is gone: 410.',
  successes: readSuccesses('The version.', versionSchema, examples.version),
  refusals: ['collection-not-found', 'record-not-found', 'version-not-found', 'version-expired'],
};

export const diffVersionsDoc: OperationDoc = {
  id: 'diffVersions',
  tag: HISTORY,
  summary: 'Compare two committed versions',
  description:
    'From version `against` to this one. Without `against`, from the version before: what this version changed; the first one is compared with nothing.',
  successes: readSuccesses('The difference.', diffSchema, examples.versionDiff),
  refusals: ['collection-not-found', 'record-not-found', 'version-not-found', 'version-expired'],
};

export const rollbackRecordDoc: OperationDoc = {
  id: 'rollbackRecord',
  tag: HISTORY,
  summary: 'Go back to an earlier version',
  description:
    'Instant: the pointer of the record moves back to the committed version `toVersion`, in a new revision; nothing is copied, and nothing of the history is lost. It must obey today’s rules; an administrator can override them with `force`. Also brings back a deleted record. To a version whose data retention has deleted there is no way back: 410.\n\n' +
    '`If-Match` with the `ETag` of the record is optional.',
  successes: commitSuccesses('Rolled back.', commitResultSchema, examples.rollbackResult),
  refusals: [
    'collection-not-found',
    'record-not-found',
    'version-not-found',
    'version-expired',
    'already-current',
    'permission-required',
    'precondition-failed',
    'approval-required',
    'work-limit',
    'validation-failed',
    'request-in-flight',
    'idempotency-key-reused',
    'outcome-unknown',
  ],
  bodyExamples: {
    'application/json': { back: { summary: 'Back to the first version', value: examples.rollback } },
  },
};
