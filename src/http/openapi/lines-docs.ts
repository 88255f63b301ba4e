import { NDJSON_TYPE } from '../plugins/bodies.js';
import { linesBody } from '../schemas/bodies.js';
import { stageReportSchema } from '../schemas/changesets.js';
import * as examples from './examples.js';
import type { OperationDoc } from './operation.js';

export const stageLinesDoc: OperationDoc = {
  id: 'stageLines',
  tag: 'Changesets',
  summary: 'Stage any number of changes into a changeset',
  description:
    'A change on each line (NDJSON), read as a stream: any number of them, `MAX_BODY_BYTES` is no bound. `put` names the whole state; `merge` and `patch` start from what this changeset holds of the record, or else from what is current; `delete` stages its deletion. An export of a collection (`GET …/records` with `Accept: application/x-ndjson`) is made of such lines.\n\n' +
    'A bad line is listed by its number and stops none of the others. A line that equals what is current makes no pending version, and one that equals what is pending is no edit: both count as unchanged, so a call that broke off can simply be repeated. Lines are staged as they arrive, many in one transaction, not all of them in one.\n\n' +
    'Nobody’s work is overwritten unseen: a `put` or `delete` that would replace another pending version of this changeset, also that of an earlier line, fails with `precondition-required`, unless the call has `If-Match` with the `ETag` of the changeset, or `*`. When somebody edits the changeset meanwhile, such lines fail with `precondition-failed` from there on. `merge` and `patch` add up and need none.\n\n' +
    'A refusal on the way (409 `changeset-closed`, 408 `request-timeout` after a minute without a byte) tells in `staged`, `unchanged` and `failed` how far it came; that much stays staged.',
  successes: {
    200: {
      description: 'What became of the lines.',
      schema: stageReportSchema,
      headers: ['ETag', 'Diptych-Revision'],
      example: examples.stageReport,
    },
  },
  refusals: [
    'changeset-not-found',
    'changeset-closed',
    'changeset-busy',
    'precondition-failed',
    'unsupported-media-type',
    'outcome-unknown',
  ],
  bodies: { [NDJSON_TYPE]: linesBody },
  bodyExamples: {
    [NDJSON_TYPE]: { lines: { summary: 'A new price, and a new record', value: examples.stagedLines } },
  },
  bodyOptional: true,
  streamed: true,
};
