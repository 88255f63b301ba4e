import { JSON_PATCH_TYPE, JSON_TYPE, MERGE_PATCH_TYPE } from '../plugins/bodies.js';
import {
  commitResultSchema,
  diffSchema,
  pageOf,
  pendingSchema,
  validationReportSchema,
} from '../schemas/answers.js';
import { jsonPatchBody, mergePatchBody } from '../schemas/bodies.js';
import * as examples from './examples.js';
import type { OperationDoc, SuccessDoc } from './operation.js';
import { commitSuccesses, listSuccesses, readSuccesses } from './successes.js';

const TAG = 'Pending versions';
const EXAMPLE_TAG = '*';

export const pendingPageSchema = pageOf(pendingSchema).meta({ id: 'PendingPage' });

const replaced: SuccessDoc = {
  description: 'The pending version as it is now.',
  schema: pendingSchema,
  headers: ['ETag', 'Diptych-Revision'],
  example: examples.pending,
};

const created: SuccessDoc = {
  ...replaced,
  description: 'The pending version was created.',
  headers: ['ETag', 'Diptych-Revision', 'Location'],
};

export const stagePendingDoc: OperationDoc = {
  id: 'stagePending',
  tag: TAG,
  summary: 'Stage a whole new state of a record',
  description:
    'Creates the pending version of the record: the second panel, on which the next state is prepared while readers go on seeing the committed one. The record need not exist; committing creates it. `{"operation": "delete"}` stages its deletion.\n\n' +
    'The rules of the collection are not judged here, so that work may be incomplete. Replacing a pending version needs `If-Match` with the `ETag` of the one that you saw (or `*` for whichever is there): nobody’s work is overwritten unseen.',
  successes: { 200: { ...replaced, description: 'The pending version was replaced.' }, 201: created },
  refusals: [
    'collection-not-found',
    'changeset-not-found',
    'changeset-closed',
    'changeset-busy',
    'base-outdated',
    'precondition-failed',
    'precondition-required',
    'record-too-large',
    'record-not-found',
  ],
  bodyExamples: {
    [JSON_TYPE]: {
      upsert: { summary: 'The state that the record shall have', value: examples.stageUpsert },
      delete: { summary: 'The record shall go', value: examples.stageDeletion },
    },
  },
};

export const patchPendingDoc: OperationDoc = {
  id: 'patchPending',
  tag: TAG,
  summary: 'Change parts of the pending version',
  description:
    'Staged updates add up: each patch is applied to the pending version as the one before left it. Without a pending version it starts from the current version. The patch is for the pending representation, so fields of the record are under `data`.\n\n' +
    'Two media types: `application/merge-patch+json` (RFC 7396; null removes a member) and `application/json-patch+json` (RFC 6902; a failing `test` gives 409). `If-Match` is optional here.',
  successes: { 200: replaced, 201: created },
  refusals: [
    'pending-not-found',
    'collection-not-found',
    'changeset-not-found',
    'changeset-closed',
    'changeset-busy',
    'patch-test-failed',
    'patch-impossible',
    'precondition-failed',
    'record-too-large',
  ],
  bodies: { [MERGE_PATCH_TYPE]: mergePatchBody, [JSON_PATCH_TYPE]: jsonPatchBody },
  bodyExamples: {
    [MERGE_PATCH_TYPE]: { price: { summary: 'Another price', value: examples.mergePatch } },
    [JSON_PATCH_TYPE]: { price: { summary: 'Another price, if the name is so', value: examples.jsonPatch } },
  },
};

export const getPendingDoc: OperationDoc = {
  id: 'getPending',
  tag: TAG,
  summary: 'Read the pending version',
  description:
    'What is being prepared, who staged it, on which committed version it rests (`baseVersion`), whether that is still the current one (`outdated`), and what the last validation said. Its `ETag` is what replacing, discarding and committing ask for.',
  successes: readSuccesses('The pending version.', pendingSchema, examples.pending),
  refusals: ['pending-not-found', 'collection-not-found', 'changeset-not-found'],
};

export const diffPendingDoc: OperationDoc = {
  id: 'diffPending',
  tag: TAG,
  summary: 'Compare the pending version with the current one',
  description: 'What committing would change, as a JSON Patch and as a list of values before and after.',
  successes: readSuccesses('The difference.', diffSchema, examples.pendingDiff),
  refusals: ['pending-not-found', 'collection-not-found', 'changeset-not-found'],
};

export const validatePendingDoc: OperationDoc = {
  id: 'validatePending',
  tag: TAG,
  summary: 'Judge the pending version by the rules',
  description:
    'Runs schema, rules, unique values and references over the state as it would be after the commit. The answer is always 200: that a record is invalid is an answer, not an error.\n\n' +
    'A valid one gives a `receipt`. Committing with it publishes exactly what was judged: it is refused when the content, the definition, or anything that the rules looked at has changed since.',
  successes: {
    200: {
      description: 'What the rules say.',
      schema: validationReportSchema,
      headers: ['ETag', 'Diptych-Revision'],
      example: examples.report,
    },
  },
  refusals: ['pending-not-found', 'collection-not-found', 'changeset-not-found'],
};

export const rebasePendingDoc: OperationDoc = {
  id: 'rebasePending',
  tag: TAG,
  summary: 'Lay the pending version on the current one',
  description:
    'For a pending version that is `outdated`: somebody committed the record since it was started. What both have changed since its base is merged, member by member; arrays as wholes, unless the schema gives them a `mergeKey`. Nothing is committed.\n\n' +
    'A place that both changed, each in its own way, is a conflict: 409 `rebase-conflict` lists them with all three values, and nothing is written. Send it again with a resolution for each. One side deleted the record: a conflict at `""`. In an array with a `mergeKey` an item’s part of a pointer is its key.\n\n' +
    'The resolutions are kept with the pending version, and with the version that a commit makes of it. One that is not outdated is answered as it is, so the request may be repeated.',
  successes: {
    200: {
      ...replaced,
      description: 'The pending version, on the current base.',
      example: examples.rebased,
    },
  },
  refusals: [
    'pending-not-found',
    'collection-not-found',
    'changeset-not-found',
    'changeset-closed',
    'changeset-busy',
    'rebase-conflict',
    'precondition-failed',
    'record-too-large',
  ],
  bodyExamples: {
    [JSON_TYPE]: {
      merge: { summary: 'Merge; tell of conflicts', value: {} },
      resolve: { summary: 'With what settles the conflicts', value: examples.rebase },
    },
  },
  bodyOptional: true,
};

export const commitPendingDoc: OperationDoc = {
  id: 'commitPending',
  tag: TAG,
  summary: 'Commit: make the pending version the current one',
  description:
    'One atomic switch: readers see the old version until, and the new one from, this commit. Validation runs again in the same transaction, so what was checked is what goes live. Equal to the current version: 200 with `unchanged: true`, and no revision is made.\n\n' +
    'Say what you saw: `If-Match` with the `ETag` of the pending version, or the `receipt` of its validation in the body; `If-Match: *` commits whatever is there. Send an `Idempotency-Key` to be able to repeat the request safely after a lost answer.',
  successes: commitSuccesses('Committed, or nothing to commit.', commitResultSchema, examples.commitResult),
  refusals: [
    'pending-not-found',
    'collection-not-found',
    'changeset-not-found',
    'changeset-member',
    'receipt-stale',
    'base-outdated',
    'precondition-failed',
    'precondition-required',
    'validation-failed',
    'approval-required',
    'work-limit',
    'record-too-large',
    'request-in-flight',
    'idempotency-key-reused',
    'outcome-unknown',
  ],
  parameterExamples: { 'if-match': EXAMPLE_TAG },
  bodyExamples: {
    [JSON_TYPE]: {
      message: { summary: 'With a word to the log', value: { message: 'Opening price' } },
      receipt: {
        summary: 'With a receipt in place of If-Match',
        value: { receipt: examples.report.receipt },
      },
    },
  },
  bodyOptional: true,
};

export const discardPendingDoc: OperationDoc = {
  id: 'discardPending',
  tag: 'Cleaning up',
  summary: 'Discard the pending version',
  description:
    'Throws staged work away; nothing that readers see changes. Needs `If-Match` with the `ETag` of the pending version, or `*`.',
  successes: { 204: { description: 'Discarded.', headers: ['Diptych-Revision'] } },
  refusals: [
    'pending-not-found',
    'collection-not-found',
    'changeset-not-found',
    'changeset-closed',
    'changeset-busy',
    'precondition-failed',
    'precondition-required',
  ],
  parameterExamples: { 'if-match': EXAMPLE_TAG },
};

export const listPendingDoc: OperationDoc = {
  id: 'listPending',
  tag: TAG,
  summary: 'List everything that waits',
  description:
    'All pending versions, of one collection or changeset if given; `outdated=true` shows those whose record was committed by somebody else meanwhile.',
  successes: listSuccesses(
    'A page of pending versions.',
    pendingPageSchema,
    examples.page(examples.pending, 1),
  ),
  refusals: ['collection-not-found', 'changeset-not-found', 'cursor-invalid'],
};
