import { z } from 'zod';
import { maxRows } from '../../commands/ingest-rows.js';
import type { RowsBody } from '../../domain/ingest-row.js';
import { isJsonObject } from '../../lib/json-object.js';
import { failureSchema } from './answers.js';
import { booleanText, changesetId } from './primitives.js';

const FIELD_MAX_CHARACTERS = 255;

const field = z.string().min(1).max(FIELD_MAX_CHARACTERS);

/** What is asked for beside the rows. */
export const ingestQuery = z
  .strictObject({
    keyField: field.meta({
      description:
        'The member of a row that is its key: a string, or a number or boolean as JSON writes it. It stays in the data.',
      example: 'id',
    }),
    rowKindField: field
      .meta({
        description:
          'The member that tells the row kind: `+I`, `-U`, `+U`, `-D` or `INSERT`, `UPDATE_BEFORE`, `UPDATE_AFTER`, `DELETE`. It is taken out of the data. A row without it is one to keep.',
        example: 'row_kind',
      })
      .optional(),
    changeset: changesetId
      .meta({
        description: 'Id of the changeset that the rows are staged into; each stands alone otherwise.',
      })
      .optional(),
    commit: booleanText({
      description: 'Commit the rows of the call at once, in one revision; not with `changeset`.',
    }).default(false),
  })
  .superRefine(({ keyField, rowKindField, changeset, commit }, context) => {
    if (commit && changeset !== undefined) {
      const message = 'Rows that are staged into a changeset go live with it: leave out one of the two.';
      context.addIssue({ code: 'custom', path: ['commit'], message });
    }
    if (rowKindField === keyField) {
      const message = 'Must be another member than `keyField`.';
      context.addIssue({ code: 'custom', path: ['rowKindField'], message });
    }
  });

const row = {
  anyOf: [
    { type: 'object', additionalProperties: true },
    { type: 'string', description: 'The JSON text of a row.' },
  ],
};

/** One row, or many. What is in a row is looked at together with all the others. */
export const ingestBody = z
  .custom<RowsBody>(
    (value) => isJsonObject(value) || Array.isArray(value),
    'Must be a row, which is a JSON object, or an array of rows.',
  )
  .meta({
    anyOf: [
      { type: 'object', additionalProperties: true, description: 'One row.' },
      { type: 'array', maxItems: maxRows, items: row, description: 'Rows, or their JSON texts.' },
    ],
  });

const count = z.int().nonnegative();

export const ingestReportSchema = z
  .object({
    staged: count.meta({
      description:
        'Rows whose record the call has changed: what is pending of it, or with `commit` what is live.',
    }),
    unchanged: count.meta({ description: 'Rows that were so already.' }),
    skipped: count.meta({ description: 'Rows before an update (`-U`).' }),
    failed: z.literal(0).meta({ description: 'A call with such rows is refused.' }),
    errors: z.array(failureSchema).max(0),
    revision: z
      .int()
      .nonnegative()
      .optional()
      .meta({ description: 'With `commit`: a revision at which the rows are live.' }),
  })
  .meta({ id: 'IngestReport', description: 'What became of the rows, all of which were taken.' });
