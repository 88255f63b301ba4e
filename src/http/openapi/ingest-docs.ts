import { ingestReportSchema } from '../schemas/ingest.js';
import * as examples from './examples.js';
import type { OperationDoc } from './operation.js';

export const ingestRowsDoc: OperationDoc = {
  id: 'ingestRows',
  tag: 'Pending versions',
  summary: 'Take flat rows, staged or committed',
  description:
    'For the Http sink of Apache SeaTunnel, and for whoever has flat rows: one row, an array of rows, or an array of their JSON texts; 10,000 at most. All rows are taken, or nothing of the call is kept: then `errors` names each row that stands against it (`row`, from 0, and `pointer`), and `failed` counts them.\n\n' +
    'A row of kind `+I` or `+U`, or without a kind, is the whole next state of the record that `keyField` names; `-D` is its deletion; `-U` is skipped. Several rows of one record are applied in their order: the last one counts. A row replaces whatever is pending there, as `If-Match: *` would. One that equals what readers see leaves nothing pending, and one that equals what is pending is no edit, so a call may be repeated.\n\n' +
    'With `commit=true` the rows go live as one commit, as with `POST /v1/commits`; what is pending is left alone. A repeat makes no revision.',
  successes: {
    200: {
      description: 'All rows were taken.',
      schema: ingestReportSchema,
      headers: ['Diptych-Revision'],
      optionalHeaders: ['Idempotency-Replayed'],
      example: examples.ingestReport,
    },
  },
  refusals: [
    'collection-not-found',
    'changeset-not-found',
    'changeset-closed',
    'changeset-busy',
    'approval-required',
    'too-many-rows',
    'record-too-large',
    'rows-refused',
    'validation-failed',
    'work-limit',
    'idempotency-key-reused',
    'request-in-flight',
    'outcome-unknown',
  ],
  parameterExamples: { rowKindField: 'row_kind' },
  bodyExamples: {
    'application/json': {
      rows: {
        summary: 'An update as its two rows, a new record, and a deletion',
        value: examples.ingestedRows,
      },
      row: { summary: 'One row', value: examples.ingestedRow },
      texts: { summary: 'The same rows as JSON texts', value: examples.ingestedTexts },
    },
  },
};
