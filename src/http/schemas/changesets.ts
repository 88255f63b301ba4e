import { z } from 'zod';
import { failureSchema, pendingValidationSchema } from './answers.js';
import { receiptText } from './bodies.js';
import { collectionName, messageText, recordKey } from './primitives.js';
import { resolutionsMember } from './resolutions.js';

const TITLE_MAX_CHARACTERS = 200;
const RESOLUTIONS_MAX = 100_000;
const YEAR_MAX = 9_999;

const time = z.iso.datetime();
const count = z.int().nonnegative();

/** `POST /v1/changesets`. */
export const createChangesetBody = z.strictObject({
  title: z
    .string()
    .regex(/\S/, 'Must say something.')
    .max(TITLE_MAX_CHARACTERS)
    .meta({ description: 'What the changeset is about.' }),
  message: messageText.optional(),
});

/** `POST …/approve`. */
export const approveBody = z
  .strictObject({ message: messageText.optional().meta({ description: 'Why, for the audit trail.' }) })
  .default({});

/** `POST …/schedule`. */
export const scheduleBody = z.strictObject({
  commitAt: z.iso
    .datetime({ offset: true, error: 'Must be a time like 2026-12-01T06:00:00.000Z (RFC 3339).' })
    .transform((text) => new Date(text))
    // An offset leads beyond, where times are not written with four digits any more.
    .refine((time) => time.getUTCFullYear() <= YEAR_MAX, `Must be in the year ${YEAR_MAX} or before, in UTC.`)
    .meta({ format: 'date-time', description: 'When it is to be committed: still to come.' }),
  receipt: receiptText.optional(),
});

/** `POST /v1/changesets/{changeset}/rebase`. */
export const rebaseChangesetBody = z
  .strictObject({
    resolutions: z
      .array(
        z.strictObject({
          collection: collectionName,
          key: recordKey,
          resolutions: resolutionsMember,
        }),
      )
      .max(RESOLUTIONS_MAX)
      .superRefine((members, context) => {
        const seen = new Set<string>();
        for (const [index, { collection, key }] of members.entries()) {
          const address = `${collection} ${key}`;
          if (seen.has(address)) {
            const params = { code: 'duplicate' };
            context.addIssue({ code: 'custom', path: [index], message: 'Is there already.', params });
          }
          seen.add(address);
        }
      })
      .optional()
      .meta({ description: 'What settles the conflicts, member by member.' }),
  })
  .default({});

const refusalSchema = z.object({
  code: z.string(),
  detail: z.string(),
  errors: z.array(failureSchema),
  commitAt: time.meta({ description: 'When it was due.' }),
  at: time.meta({ description: 'When it was tried.' }),
  attempts: z.int().min(1).meta({ description: 'How often it was tried.' }),
  retryAt: time
    .nullable()
    .meta({ description: 'When it will be tried again; null when it was refused, and is open.' }),
});

export const changesetSchema = z
  .object({
    id: z.string(),
    title: z.string(),
    message: z.string().nullable(),
    state: z.enum(['open', 'scheduled', 'committed', 'discarded']),
    createdBy: z.string(),
    createdAt: time,
    memberCount: count.nullable().meta({
      description:
        'Pending versions that it holds; once it is committed, the changes that it made. In a list null when it holds more than 1,000, which are counted only where one changeset is asked for.',
    }),
    validation: pendingValidationSchema.meta({
      description:
        'The last validation of the whole; `stale` once it was edited, or judged by a definition that is no longer in force.',
    }),
    approvals: z
      .array(
        z.object({
          approver: z.string(),
          approvedAt: time,
          message: z.string().nullable(),
          digest: z.string().meta({ description: 'SHA-256 over the content of all members.' }),
          valid: z.boolean().meta({ description: 'False once the changeset was edited after it.' }),
        }),
      )
      .meta({ description: 'The newest first; also those that an edit has voided.' }),
    schedule: z
      .object({ commitAt: time, scheduledBy: z.string(), scheduledAt: time })
      .nullable()
      .meta({ description: 'When it will be committed; null while it is not scheduled.' }),
    refusal: refusalSchema.nullable().meta({
      description:
        'Why the schedule could not be carried out, for good or so far; null when there is nothing to say.',
    }),
    closedBy: z.string().nullable(),
    closedAt: time.nullable(),
    revision: z.int().min(1).nullable().meta({ description: 'The revision of its commit.' }),
  })
  .meta({ id: 'Changeset', description: 'Pending versions that go live together, in one revision.' });

export const rebasedChangesetSchema = z
  .object({
    rebased: count.meta({ description: 'Members that were laid on another base.' }),
    resolved: count.meta({ description: 'Conflicts that were settled.' }),
    changeset: changesetSchema,
  })
  .meta({ id: 'RebasedChangeset', description: 'What rebasing a changeset did.' });

const overlapSchema = z
  .object({
    changeset: z.string(),
    title: z.string(),
    state: z.enum(['open', 'scheduled']),
    recordCount: count.meta({ description: 'Records that both hold a pending version of.' }),
    records: z.array(z.object({ collection: z.string(), key: z.string() })),
    uniqueValueCount: count.meta({ description: 'Unique values that records of both want.' }),
    uniqueValues: z.array(
      z.object({ collection: z.string(), pointer: z.string(), key: z.string(), otherKey: z.string() }),
    ),
  })
  .meta({
    id: 'Overlap',
    description: 'Another open changeset that is in the way; 20 examples of each sort.',
  });

export const changesetReportSchema = z
  .object({
    valid: z.boolean(),
    errors: z.array(failureSchema).max(1000),
    warnings: z.array(failureSchema).max(1000),
    errorCount: count.meta({ description: 'All of them; 1,000 are listed at most.' }),
    warningCount: count,
    memberCount: count,
    validatedRevision: count.meta({ description: 'The store revision that it was judged against.' }),
    digest: z.string().meta({ description: 'SHA-256 over the content of all members.' }),
    receipt: z
      .string()
      .nullable()
      .meta({ description: 'Proof of this validation; commit with it to publish exactly what was judged.' }),
    missingApprovals: z
      .array(z.object({ collection: z.string(), required: count, missing: count }))
      .meta({ description: 'Approvals that a commit would still lack.' }),
    overlaps: z.array(overlapSchema).meta({
      description: 'Other open changesets that touch the same records or want the same unique values.',
    }),
  })
  .meta({ id: 'ChangesetReport', description: 'What the rules say about the state after the commit.' });

export const scheduledChangesetSchema = changesetSchema
  .extend({
    report: changesetReportSchema.meta({
      description: 'What stands against it already; it may have passed by then, or not.',
    }),
  })
  .meta({
    id: 'ScheduledChangeset',
    description: 'A changeset with its schedule, and what is known in advance.',
  });

export const stageReportSchema = z
  .object({
    staged: count.meta({ description: 'Lines that made or changed a pending version.' }),
    unchanged: count.meta({ description: 'Lines that equal what is current, or what is pending already.' }),
    failed: count.meta({ description: 'Lines that were refused; they stopped none of the others.' }),
    errors: z
      .array(
        z.object({
          line: z.int().min(1).meta({ description: 'Number of the line, from 1.' }),
          pointer: z.string().meta({ description: 'JSON Pointer (RFC 6901) into the line.' }),
          code: z.string(),
          message: z.string(),
          collection: z.string().optional(),
          key: z.string().optional(),
        }),
      )
      .max(1000)
      .meta({ description: 'The first 1,000 of them.' }),
  })
  .meta({ id: 'StageReport', description: 'What became of the lines.' });
