import { z } from 'zod';
import { changeOperation, commitSchema, data, message, positive, time, wholeNumber } from './answers.js';

// The shapes of the feed in its forms. As in `answers.ts`, they are documentation and test oracle.

const side = z.object({ version: positive, data }).nullable();

export const changeSchema = z
  .object({
    revision: positive,
    ordinal: positive.meta({ description: 'Position within the commit, from 1.' }),
    operation: changeOperation,
    collection: z.string(),
    key: z.string(),
    before: side,
    after: side,
    committedAt: time,
    author: z.string(),
    message,
  })
  .meta({ id: 'Change', description: 'One update as its two records, before and after.' });

const head = wholeNumber.meta({ description: 'The newest revision of the store.' });

const feedSchema = z
  .object({
    changes: z.array(changeSchema),
    next: z.string().meta({ description: 'Position to go on from: the next `after`.' }),
    head,
  })
  .meta({ id: 'ChangeFeedPage', description: 'One page of the change feed.' });

const rowSchema = z
  .object({
    seq: z.number().meta({
      type: 'integer',
      format: 'int64',
      description: 'The place of the row among all rows; it strictly increases, and may pass 2^53.',
    }),
    row_kind: z.enum(['+I', '-U', '+U', '-D']),
    collection: z.string(),
    record_key: z.string(),
    version: positive,
    revision: positive.meta({ description: 'Of the commit that made the change, also in the row before.' }),
    committed_at: z
      .string()
      .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/)
      .meta({ description: 'UTC, and written without a zone.' }),
    author: z.string(),
    message,
    payload: data,
  })
  .meta({ id: 'FeedRow', description: 'A row of `format=rows`; an update is `-U` and then `+U`.' });

const debeziumRow = z
  .object({
    collection: z.string(),
    record_key: z.string(),
    version: positive,
    payload: z.string().meta({ description: 'The content, as a text of JSON.' }),
  })
  .nullable();

const debeziumSchema = z
  .object({
    before: debeziumRow,
    after: debeziumRow,
    op: z.enum(['c', 'u', 'd']),
    ts_ms: z.int().meta({ description: 'When it was committed, in milliseconds since 1970.' }),
    source: z.looseObject({ db: z.string(), schema: z.string(), table: z.string(), revision: positive }),
  })
  .meta({ id: 'DebeziumChange', description: 'A change as Debezium tells of it.' });

export const cloudEventSchema = z
  .object({
    specversion: z.literal('1.0'),
    id: z.string().meta({ description: 'The position of the change: `7.3` is the third of commit 7.' }),
    source: z.string(),
    type: z.enum(['diptych.record.created', 'diptych.record.updated', 'diptych.record.deleted']),
    subject: z.string().meta({ description: 'The key of the record.' }),
    time,
    datacontenttype: z.literal('application/json'),
    data: changeSchema.omit({ committedAt: true }),
  })
  .meta({ id: 'ChangeEvent', description: 'A change as a CloudEvent 1.0 in structured mode.' });

function formPageOf<Item extends z.ZodType>(item: Item, id: string) {
  return z
    .object({
      data: z.array(item),
      next_cursor: z
        .string()
        .nullable()
        .meta({ description: 'The next `cursor`; null: nothing more up to `head`.' }),
      head,
    })
    .meta({ id });
}

const feedCommitSchema = commitSchema
  .pick({ revision: true, kind: true, committedAt: true, author: true, message: true, changeset: true })
  .extend({
    changeCount: wholeNumber.meta({
      description: 'Of the whole commit, also where a filter leaves some out.',
    }),
    changes: z
      .array(changeSchema.omit({ revision: true, committedAt: true, author: true, message: true }))
      .max(1000)
      .meta({ description: 'Those that pass the filters, in order.' }),
    more: z.string().nullable().meta({
      description: 'Where not all of them are here: the position from which the feed shows the rest.',
    }),
  })
  .meta({ id: 'FeedCommit', description: 'An entry of `group=commit`: a commit with its changes.' });

const commitsSchema = z
  .object({
    commits: z.array(feedCommitSchema),
    next: z.string().meta({ description: 'Position to go on from: the next `after`.' }),
    head,
  })
  .meta({ id: 'CommitFeedPage', description: 'One page of the change feed, commit by commit.' });

/** What the feed answers with, in the form that was asked for. */
export const feedAnswerSchema = z.union([
  feedSchema,
  commitsSchema,
  formPageOf(rowSchema, 'FeedRowPage'),
  formPageOf(debeziumSchema, 'DebeziumPage'),
  formPageOf(cloudEventSchema, 'ChangeEventPage'),
]);
