import { JSON_TYPE } from '../plugins/bodies.js';
import { commitResultSchema, pageOf } from '../schemas/answers.js';
import {
  changesetReportSchema,
  changesetSchema,
  rebasedChangesetSchema,
  scheduledChangesetSchema,
} from '../schemas/changesets.js';
import * as examples from './examples.js';
import type { OperationDoc, SuccessDoc } from './operation.js';
import { pendingPageSchema } from './pending-docs.js';
import { commitSuccesses, listSuccesses, readSuccesses } from './successes.js';

const TAG = 'Changesets';
const EXAMPLE_TAG = '*';

const changesetPageSchema = pageOf(changesetSchema).meta({ id: 'ChangesetPage' });

const changed: SuccessDoc = {
  description: 'The changeset as it is now.',
  schema: changesetSchema,
  headers: ['ETag', 'Diptych-Revision'],
  example: examples.changeset,
};

export const createChangesetDoc: OperationDoc = {
  id: 'createChangeset',
  tag: TAG,
  summary: 'Open a changeset',
  description:
    'A changeset holds pending versions of any number of records that go live together, in one revision, or not at all. Stage into it with `?changeset=` at the pending version of a record. A record may be pending in several changesets at once; each sees its own.',
  successes: {
    201: {
      ...changed,
      description: 'The changeset was opened.',
      headers: ['ETag', 'Diptych-Revision', 'Location'],
    },
  },
  refusals: [],
  bodyExamples: {
    [JSON_TYPE]: { winter: { summary: 'A release of prices', value: examples.createChangeset } },
  },
};

export const listChangesetsDoc: OperationDoc = {
  id: 'listChangesets',
  tag: TAG,
  summary: 'List the changesets',
  description: 'All changesets, the newest first; of one state if given.',
  successes: listSuccesses(
    'A page of changesets.',
    changesetPageSchema,
    examples.page(examples.changeset, 1),
  ),
  refusals: ['cursor-invalid'],
};

export const getChangesetDoc: OperationDoc = {
  id: 'getChangeset',
  tag: TAG,
  summary: 'Read a changeset',
  description:
    'What it is about, where it stands, what the last validation said, who approved it, when it is due. Its `ETag` changes with every edit of a member; committing, approving and discarding ask for it.',
  successes: readSuccesses('The changeset.', changesetSchema, examples.changeset),
  refusals: ['changeset-not-found'],
};

export const listMembersDoc: OperationDoc = {
  id: 'listMembers',
  tag: TAG,
  summary: 'List the members of a changeset',
  description:
    'The pending versions that it holds, in the order in which they were started. Once it is committed or discarded nothing is pending in it; its commit lists what became current.',
  successes: listSuccesses(
    'A page of pending versions.',
    pendingPageSchema,
    examples.page(examples.pending, 1),
  ),
  refusals: ['changeset-not-found', 'cursor-invalid'],
};

export const validateChangesetDoc: OperationDoc = {
  id: 'validateChangeset',
  tag: TAG,
  summary: 'Judge the state that a changeset would make',
  description:
    'Judges the whole state as it would be after the commit: order never matters, unique values may swap between members, references may lead to members or form cycles, deletions count. The answer is always 200: being invalid is an answer, not an error. It also names other open changesets that touch the same records or want the same unique values, and the approvals that are missing.\n\n' +
    'A valid one gives a `receipt`: committing with it publishes exactly what was judged.',
  successes: {
    200: {
      description: 'What the rules say.',
      schema: changesetReportSchema,
      headers: ['ETag', 'Diptych-Revision'],
      example: examples.changesetReport,
    },
  },
  refusals: ['changeset-not-found', 'changeset-closed', 'work-limit'],
};

export const rebaseChangesetDoc: OperationDoc = {
  id: 'rebaseChangeset',
  tag: TAG,
  summary: 'Lay the outdated members on the current versions',
  description:
    'Every member whose record was committed since it was staged is merged with what is current now, as by `rebase` of a single pending version; all of them, or none. 409 `rebase-conflict` lists the places that need a decision, 1,000 at most, with collection and key; `conflictCount` counts all. Resolutions that are given count, whatever is still open: those of the first thousand, sent again with those of the next, settle any number.\n\n' +
    'It is an edit of the changeset: approvals are void. Without outdated members nothing is written, so the request may be repeated.',
  successes: {
    200: {
      description: 'All members are on the current versions.',
      schema: rebasedChangesetSchema,
      headers: ['ETag', 'Diptych-Revision'],
      example: examples.rebasedChangeset,
    },
  },
  refusals: [
    'changeset-not-found',
    'changeset-closed',
    'changeset-busy',
    'collection-not-found',
    'rebase-conflict',
    'precondition-failed',
    'record-too-large',
  ],
  bodyExamples: {
    [JSON_TYPE]: {
      merge: { summary: 'Merge; tell of conflicts', value: {} },
      resolve: { summary: 'With what settles the conflicts', value: examples.rebaseChangeset },
    },
  },
  bodyOptional: true,
};

export const commitChangesetDoc: OperationDoc = {
  id: 'commitChangeset',
  tag: TAG,
  summary: 'Commit a changeset: all members go live in one revision',
  description:
    'Readers see none of the members until, and all of them from, this commit. It judges again in the same transaction. Members that equal what is current are dropped; when all do, the answer has `unchanged: true` and there is no revision. The changeset is closed in any case.\n\n' +
    'Say what you saw: `If-Match` with the `ETag` of the changeset, or the `receipt` of its validation; `If-Match: *` commits whatever is there. Members whose records moved since they were staged (409 `base-outdated`) are listed: rebase them.',
  successes: commitSuccesses('Committed, or nothing to commit.', commitResultSchema, examples.commitResult),
  refusals: [
    'changeset-not-found',
    'changeset-closed',
    'changeset-busy',
    'collection-not-found',
    'receipt-stale',
    'base-outdated',
    'approval-required',
    'precondition-failed',
    'precondition-required',
    'validation-failed',
    'work-limit',
    'request-in-flight',
    'idempotency-key-reused',
    'outcome-unknown',
  ],
  parameterExamples: { 'if-match': EXAMPLE_TAG },
  bodyExamples: {
    [JSON_TYPE]: { message: { summary: 'With a word to the log', value: { message: 'Winter prices' } } },
  },
  bodyOptional: true,
};

export const discardChangesetDoc: OperationDoc = {
  id: 'discardChangeset',
  tag: 'Cleaning up',
  summary: 'Discard a changeset',
  description:
    'Throws away everything that was staged in it; nothing that readers see changes. Needs `If-Match` with the `ETag` of the changeset, or `*`.',
  successes: { 200: { ...changed, description: 'Discarded.', example: examples.discardedChangeset } },
  refusals: [
    'changeset-not-found',
    'changeset-closed',
    'changeset-busy',
    'precondition-failed',
    'precondition-required',
  ],
  parameterExamples: { 'if-match': EXAMPLE_TAG },
};

export const approveChangesetDoc: OperationDoc = {
  id: 'approveChangeset',
  tag: TAG,
  summary: 'Approve a changeset as it is',
  description:
    'Collections may ask for approvals (`approvals.required` of their definition): so many distinct people who staged none of it. An approval is bound to the content that `If-Match` names, and any edit voids it; the list of approvals keeps it as voided. Approving twice is one approval.',
  successes: { 200: { ...changed, example: examples.approvedChangeset } },
  refusals: [
    'changeset-not-found',
    'changeset-closed',
    'changeset-busy',
    'approval-refused',
    'precondition-failed',
    'precondition-required',
  ],
  parameterExamples: { 'if-match': EXAMPLE_TAG, 'diptych-actor': 'grace' },
  bodyExamples: {
    [JSON_TYPE]: { message: { summary: 'With a word', value: { message: 'Checked against the contract' } } },
  },
  bodyOptional: true,
};

export const scheduleChangesetDoc: OperationDoc = {
  id: 'scheduleChangeset',
  tag: TAG,
  summary: 'Let a changeset be committed later',
  description:
    'At `commitAt`, or as soon as the service runs again after it: late rather than never, and once, however many instances run. It takes no edits until then; approvals may still come. Scheduling it again changes the moment.\n\n' +
    'Say what you saw, as for a commit: `If-Match`, or the `receipt` of a validation. The answer shows in `report` what stands against it already. When it is refused at its time it opens again, with the reason in `refusal`.',
  successes: {
    200: { ...changed, schema: scheduledChangesetSchema, example: examples.scheduledChangeset },
  },
  refusals: [
    'changeset-not-found',
    'changeset-closed',
    'changeset-busy',
    'receipt-stale',
    'work-limit',
    'precondition-failed',
    'precondition-required',
  ],
  parameterExamples: { 'if-match': EXAMPLE_TAG },
  bodyExamples: {
    [JSON_TYPE]: { morning: { summary: 'On a morning to come', value: examples.scheduleChangeset } },
  },
};

export const unscheduleChangesetDoc: OperationDoc = {
  id: 'unscheduleChangeset',
  tag: TAG,
  summary: 'Take a schedule back',
  description: 'The changeset is open again and takes edits. An open one stays as it is.',
  successes: { 200: changed },
  refusals: ['changeset-not-found', 'changeset-closed', 'changeset-busy'],
};
