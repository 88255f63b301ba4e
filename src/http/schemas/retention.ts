import { z } from 'zod';
import { pagingQuery } from './list-query.js';
import { booleanText, recordKey } from './primitives.js';

const count = z.int().nonnegative();
const time = z.iso.datetime();

/** `GET …/retention`. */
export const retentionQuery = z.strictObject({
  key: recordKey.meta({ description: 'Only the versions of this record.' }).optional(),
  expiring: booleanText({ description: 'Only the versions that would go now.' }).optional(),
  ...pagingQuery,
});

/** `POST …/retention/run`. */
export const retentionRunBody = z
  .strictObject({
    dryRun: z.boolean().default(false).meta({ description: 'Count what would go, and touch nothing.' }),
  })
  .default({ dryRun: false });

const explainedVersionSchema = z
  .object({
    key: z.string(),
    version: z.int().min(1),
    data: z.enum(['kept', 'archived', 'deleted']).meta({ description: 'Where its data is now.' }),
    outcome: z
      .enum(['keep', 'archive', 'delete'])
      .meta({ description: 'What a run would do with it: leave it, archive its data, or delete its data.' }),
    reasons: z.array(z.enum(['current', 'base', 'newest', 'young', 'archived', 'deleted'])).meta({
      description:
        'All that keeps it. `current`: readers see it. `base`: a pending version, in a changeset or not, was started from it. `newest`: one of the last `keepVersions`. `young`: ceased to be current less than `keepDays` ago. `archived`, `deleted`: there is nothing left to do. None when it goes.',
    }),
    supersededAt: time.nullable().meta({
      description: 'When it ceased to be current, for the last time; its age counts from there.',
    }),
    expiresAt: time.nullable().meta({
      description: 'When it will go, if nothing but its age keeps it; else null.',
    }),
  })
  .meta({ id: 'ExplainedVersion', description: 'What retention does with one version, and why.' });

export const retentionSchema = z
  .object({
    collection: z.string(),
    policy: z
      .object({
        keepVersions: count.nullable(),
        keepDays: count.nullable(),
        onExpire: z.enum(['archive', 'delete']),
      })
      .meta({ description: 'The policy in force; a limit that is null protects nothing.' }),
    isDefault: z.boolean().meta({ description: 'Whether the definition says nothing about retention.' }),
    horizon: count.meta({
      description: 'The revision from which on reads of the past are whole; 0: all of it.',
    }),
    run: z
      .object({ startedAt: time, finishedAt: time.nullable(), archived: count, deleted: count })
      .nullable()
      .meta({ description: 'The run under way (`finishedAt` null), or the last; null when there was none.' }),
    items: z.array(explainedVersionSchema),
    next: z.string().nullable().meta({ description: 'Cursor of the next page, or null on the last.' }),
    revision: count.meta({ description: 'The store revision that this answer reflects.' }),
  })
  .meta({ id: 'Retention', description: 'What the retention of a collection does, and why.' });

export const retentionRunSchema = z
  .object({
    dryRun: z.boolean(),
    archived: count.meta({ description: 'Versions whose data was (or would be) archived by this call.' }),
    deleted: count.meta({ description: 'Versions whose data was (or would be) deleted by this call.' }),
    horizon: count.meta({ description: 'The revision from which on reads of the past are whole.' }),
    complete: z.boolean().meta({
      description:
        'Whether the end of the collection was reached. If not, call again: it goes on from there. Of a rehearsal: whether everything was counted.',
    }),
  })
  .meta({ id: 'RetentionRun', description: 'What one call of retention did.' });
