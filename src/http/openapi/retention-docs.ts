import { retentionRunSchema, retentionSchema } from '../schemas/retention.js';
import * as examples from './examples.js';
import type { OperationDoc } from './operation.js';
import { listSuccesses } from './successes.js';

const TAG = 'Cleaning up';

export const getRetentionDoc: OperationDoc = {
  id: 'getRetention',
  tag: TAG,
  summary: 'Explain the retention of a collection',
  description:
    'The policy in force, the horizon, the last run, and of every committed version what a run would do with it now and why it stays. A definition that sets `keepVersions` or `keepDays` means only what it sets, and a version is kept while either protects it; one that sets neither gets 100 versions and 90 days. `onExpire` is `archive` if not given: archived data is compressed, and can still be read and rolled back to. The current version, and what a pending version was started from, never go.\n\n' +
    'Versions come in the order in which their records were created, by number. With `expiring=true` a page looks through 10,000 records at most, so it may be short, or empty, and have a `next`.',
  successes: listSuccesses('The retention, with a page of versions.', retentionSchema, examples.retention),
  refusals: ['collection-not-found', 'record-not-found', 'cursor-invalid'],
};

export const runRetentionDoc: OperationDoc = {
  id: 'runRetention',
  tag: TAG,
  summary: 'Run the retention of a collection now',
  description:
    'What the service does by itself every hour (`RETENTION_INTERVAL_MINUTES`), for one collection, in the same small batches with the same rests between them. The work of one call is bounded, to 5,000 versions and about 20 s at most: `complete: false` means that the next call goes on from there. Records that are being changed at the moment are left for the next run.\n\n' +
    'Needs the permission `admin`, because it takes data away; `dryRun` does not. Reads of the past and positions of the feed below the `horizon` of the answer give 410 from now on.',
  successes: {
    200: {
      description: 'What was archived or deleted, or would be.',
      schema: retentionRunSchema,
      headers: ['Diptych-Revision'],
      example: examples.retentionRun,
    },
  },
  refusals: ['collection-not-found', 'permission-required', 'retention-running'],
  bodyOptional: true,
  bodyExamples: {
    'application/json': {
      rehearsal: { summary: 'Only count what would go', value: { dryRun: true } },
      run: { summary: 'Archive or delete it', value: { dryRun: false } },
    },
  },
};
