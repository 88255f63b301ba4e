import { JSON_TYPE } from '../plugins/bodies.js';
import {
  changeSummarySchema,
  commitPageSchema,
  commitResultSchema,
  commitSchema,
  pageOf,
} from '../schemas/answers.js';
import * as examples from './examples.js';
import type { OperationDoc } from './operation.js';
import { commitSuccesses, listSuccesses, readSuccesses } from './successes.js';

const TAG = 'Commits';

const changePageSchema = pageOf(changeSummarySchema).meta({ id: 'ChangeSummaryPage' });

export const commitChangesDoc: OperationDoc = {
  id: 'commitChanges',
  tag: TAG,
  summary: 'Stage, validate and commit many records in one call',
  description:
    'All changes go live in one revision, or none does. Validation judges the state after the commit: the order does not matter, unique values may swap, references may be circular. Pending versions are neither used nor touched.\n\n' +
    '`put` gives the whole `data`, `merge` and `patch` change the current one, `delete` removes the record. `ifVersion` makes a change conditional (0: the record must not exist). `dryRun` runs the same code and writes nothing.',
  successes: commitSuccesses(
    'Committed, or nothing to commit, or a rehearsal.',
    commitResultSchema,
    examples.directCommitResult,
  ),
  refusals: [
    'collection-not-found',
    'record-not-found',
    'version-conflict',
    'patch-test-failed',
    'patch-impossible',
    'record-too-large',
    'approval-required',
    'work-limit',
    'validation-failed',
    'request-in-flight',
    'idempotency-key-reused',
    'outcome-unknown',
  ],
  bodyExamples: {
    'application/json': {
      prices: { summary: 'One new price and one new product', value: examples.directCommit },
    },
  },
};

export const listCommitsDoc: OperationDoc = {
  id: 'listCommits',
  tag: TAG,
  summary: 'Read the commit log',
  description:
    'Newest first. Revisions are 1, 2, 3, … without a gap, in the order in which readers saw them; the hashes chain over the whole log.\n\n' +
    'With `idempotencyKey`, only the commit that was made with this key by the same caller, and in `outcome` the answer that it got: after a lost answer this tells for certain what happened.',
  successes: listSuccesses('A page of the log.', commitPageSchema, examples.page(examples.commit, 2)),
  refusals: ['cursor-invalid'],
};

export const getCommitDoc: OperationDoc = {
  id: 'getCommit',
  tag: TAG,
  summary: 'Read one commit',
  description: 'Who, when, why, and which records it changed (the first 1,000 of them).',
  successes: readSuccesses('The commit.', commitSchema, examples.commit),
  refusals: ['commit-not-found'],
};

export const listCommitChangesDoc: OperationDoc = {
  id: 'listCommitChanges',
  tag: TAG,
  summary: 'List all changes of a commit',
  description: 'Every record that the commit changed, with the version before and after, in pages.',
  successes: listSuccesses('A page of changes.', changePageSchema, examples.page(examples.changeSummary, 2)),
  refusals: ['commit-not-found', 'cursor-invalid'],
};

export const revertCommitDoc: OperationDoc = {
  id: 'revertCommit',
  tag: 'Commits',
  summary: 'Undo a whole commit, as a new one',
  description:
    'Each record goes back to the version that it had before: what the commit created is deleted again, what it deleted comes back, nothing is copied. The outcome is judged like any commit, and all of it happens or nothing. `dryRun` runs the same code and writes nothing.\n\n' +
    'Refused with 409 `revert-conflict` when any of its records is no longer where the commit left it; `errors` lists them. A revert can be reverted. An admin may `force` it past today’s schema, rules and approvals; unique values and references hold in any case.',
  successes: commitSuccesses('Undone.', commitResultSchema, examples.revertResult),
  refusals: [
    'commit-not-found',
    'collection-not-found',
    'permission-required',
    'approval-required',
    'revert-conflict',
    'revert-impossible',
    'version-expired',
    'validation-failed',
    'work-limit',
    'request-in-flight',
    'idempotency-key-reused',
    'outcome-unknown',
  ],
  parameterExamples: { revision: 4 },
  bodyExamples: {
    [JSON_TYPE]: {
      revert: { summary: 'Undo it', value: { message: 'Too early' } },
      rehearsal: { summary: 'Only show what it would do', value: { dryRun: true } },
    },
  },
  bodyOptional: true,
};
