import { z } from 'zod';

// The shapes of what the service answers. They are documentation and test oracle: answers are not parsed at
// run time, the API tests hold every one of them against the document made from these.

export const wholeNumber = z.int().nonnegative();
export const positive = z.int().min(1);
export const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC, with milliseconds.' });
export const data = z
  .record(z.string(), z.unknown())
  .meta({ description: 'The content: any JSON object that the definition of its collection allows.' });
const digest = z
  .string()
  .meta({ description: 'SHA-256 of the canonical JSON (RFC 8785) of `data`, hexadecimal.' });
export const changeOperation = z.enum(['create', 'update', 'delete']);
export const message = z.string().nullable().meta({ description: 'What its author said about it.' });

export const failureSchema = z
  .object({
    pointer: z.string().meta({ description: 'JSON Pointer (RFC 6901) to what is wrong.' }),
    code: z.string().meta({ description: 'A stable word for programs.' }),
    message: z.string().meta({ description: 'What is wrong, and the way out.' }),
    rule: z.string().optional().meta({ description: 'Id of the rule that failed.' }),
    severity: z.enum(['error', 'warning']).optional(),
    in: z
      .enum(['path', 'query', 'header'])
      .optional()
      .meta({ description: 'What `pointer` points into, when that is not the body.' }),
    row: wholeNumber.optional().meta({ description: 'Of ingested rows: which of them, from 0.' }),
    collection: z.string().optional(),
    key: z.string().optional(),
  })
  .meta({ id: 'Failure', description: 'One thing that is wrong.' });

export const problemSchema = z
  .looseObject({
    type: z.string().meta({ description: 'Path of a page about this problem, served by the service.' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'A sentence about this very case.' }),
    code: z.string().meta({ description: 'The last part of `type`, for programs.' }),
    instance: z.string().meta({ description: '`type` with the request id as its fragment.' }),
    requestId: z.string().meta({ description: 'Names the request in the log; also in `X-Request-Id`.' }),
    errors: z.array(failureSchema).meta({ description: 'Everything that is wrong, at once.' }),
  })
  .meta({ id: 'Problem', description: 'Why a request was refused (RFC 9457).' });

export const recordSchema = z
  .object({
    collection: z.string(),
    key: z.string(),
    version: positive.meta({ description: 'Number of the current version, from 1 per record.' }),
    revision: positive.meta({ description: 'Store revision at which this record last changed.' }),
    data,
    committedAt: time,
    committedBy: z.string(),
    message,
  })
  .meta({ id: 'Record', description: 'A record as readers see it: its current version.' });

export const previewRecordSchema = z
  .object({
    collection: z.string(),
    key: z.string(),
    version: positive.nullable().meta({ description: 'null: the changeset has not given it one yet.' }),
    revision: positive.nullable(),
    data,
    committedAt: time.nullable(),
    committedBy: z.string().nullable(),
    message: message.meta({ description: 'Of the commit, or of the pending version.' }),
    pending: z.boolean().meta({
      description:
        'Whether this comes from the changeset; then `version`, `revision`, `committedAt` and `committedBy` are null.',
    }),
  })
  .meta({
    id: 'PreviewRecord',
    description: 'With `changeset`: a record as it would be if that were committed now.',
  });

const versionMembers = {
  version: positive,
  revisions: z.array(positive).meta({
    description: 'Every revision at which this version became current; a rollback adds one.',
  }),
  committedAt: time,
  committedBy: z.string(),
  message,
  digest,
  current: z.boolean(),
  archived: z.boolean().meta({
    description: 'Whether retention has compressed its data; it can be read, compared and rolled back to.',
  }),
  deleted: z.boolean().meta({
    description: 'Whether retention has removed its data for good; who, when and the digest stay.',
  }),
};

export const versionSummarySchema = z
  .object(versionMembers)
  .meta({ id: 'VersionSummary', description: 'One committed version, without its content.' });

export const versionSchema = z
  .object({ ...versionMembers, collection: z.string(), key: z.string(), data })
  .meta({ id: 'Version', description: 'One committed version; it never changes.' });

const patchOperationSchema = z
  .object({
    op: z.enum(['add', 'remove', 'replace', 'move', 'copy', 'test']),
    path: z.string(),
    from: z.string().optional(),
    value: z.unknown().optional(),
  })
  .meta({ id: 'PatchOperation', description: 'One operation of a JSON Patch (RFC 6902).' });

export const diffSchema = z
  .object({
    from: positive.nullable().meta({ description: 'The older version; null where there is no record.' }),
    to: z
      .union([positive, z.literal('pending'), z.null()])
      .meta({ description: 'The newer version, `pending`, or null where the record would not exist.' }),
    patch: z.array(patchOperationSchema).meta({ description: 'JSON Patch that turns `from` into `to`.' }),
    changes: z.array(
      z.object({
        pointer: z.string(),
        before: z.unknown().optional(),
        after: z.unknown().optional(),
      }),
    ),
  })
  .meta({
    id: 'Diff',
    description: 'The difference of two states; a side that has no value at a pointer leaves it out.',
  });

export const pendingValidationSchema = z.object({
  state: z.enum(['unknown', 'valid', 'invalid', 'stale']),
  validatedRevision: wholeNumber.optional(),
  validatedAt: time.optional(),
  errorCount: wholeNumber.optional(),
  warningCount: wholeNumber.optional(),
});

const resolutionSchema = z
  .object({
    pointer: z.string().meta({ description: 'JSON Pointer into `data`.' }),
    resolution: z.union([z.enum(['pending', 'current']), z.object({ value: z.unknown() })]),
    by: z.string(),
    at: time,
  })
  .meta({ id: 'Resolution', description: 'How a conflict of rebasing was settled, by whom and when.' });

export const pendingSchema = z
  .object({
    collection: z.string(),
    key: z.string(),
    changeset: z.string().nullable(),
    operation: z.enum(['upsert', 'delete']),
    data: data
      .nullable()
      .meta({ description: 'What would be committed; null when `operation` is `delete`.' }),
    baseVersion: positive
      .nullable()
      .meta({ description: 'The current version when this one was started; null when there was none.' }),
    currentVersion: positive.nullable(),
    outdated: z.boolean().meta({
      description: 'Whether somebody committed the record since: it is no longer on `baseVersion`.',
    }),
    digest: digest.nullable(),
    message,
    stagedBy: z.array(z.string()),
    stagedAt: time,
    updatedAt: time,
    resolutions: z
      .array(resolutionSchema)
      .meta({ description: 'How conflicts were settled when it was rebased, oldest first.' }),
    validation: pendingValidationSchema,
  })
  .meta({ id: 'Pending', description: 'The version that is being prepared; readers never see it.' });

export const validationReportSchema = z
  .object({
    valid: z.boolean(),
    errors: z.array(failureSchema),
    warnings: z.array(failureSchema),
    validatedRevision: wholeNumber.meta({ description: 'The store revision that it was judged against.' }),
    digest: digest.nullable(),
    receipt: z
      .string()
      .nullable()
      .meta({ description: 'Proof of this validation; commit with it to publish exactly what was judged.' }),
  })
  .meta({ id: 'ValidationReport', description: 'What the rules say about a pending version.' });

export const changeSummarySchema = z
  .object({
    collection: z.string(),
    key: z.string(),
    operation: changeOperation,
    before: positive.nullable().meta({ description: 'Version that was current before.' }),
    after: positive.nullable().meta({ description: 'Version that is current after; null: deleted.' }),
  })
  .meta({ id: 'ChangeSummary', description: 'One record of a commit: where its pointer was, and is.' });

export const commitKind = z.enum(['commit', 'rollback', 'revert', 'definition']);

export const commitResultSchema = z
  .object({
    revision: wholeNumber.meta({
      description: 'The revision of this commit; the present head when `unchanged`.',
    }),
    committedAt: time,
    kind: commitKind,
    changeCount: wholeNumber,
    changes: z.array(changeSummarySchema).max(1000),
    unchanged: z.boolean().meta({ description: 'True when nothing differed, and nothing was committed.' }),
    dryRun: z.literal(true).optional(),
  })
  .meta({ id: 'CommitResult', description: 'What a commit did.' });

export const commitSchema = z
  .object({
    revision: positive,
    kind: commitKind,
    committedAt: time,
    author: z.string(),
    message,
    changeset: z.string().nullable(),
    reverts: positive.nullable(),
    forced: z.boolean(),
    definition: z
      .object({ collection: z.string(), number: positive.nullable(), digest: z.string().nullable() })
      .nullable(),
    definitions: z
      .array(z.object({ collection: z.string(), number: positive }))
      .meta({ description: 'The definitions that its changes were judged by.' }),
    changeCount: wholeNumber,
    changes: z
      .array(changeSummarySchema)
      .max(1000)
      .meta({ description: 'The first 1,000; in the log itself, the first 20 of each commit.' }),
    changesDigest: z.string().meta({ description: 'SHA-256 over all changes.' }),
    hash: z.string().meta({ description: 'SHA-256 over the entry and `previousHash`: a chain.' }),
    previousHash: z.string(),
  })
  .meta({ id: 'Commit', description: 'One entry of the commit log.' });

/** A page of `items`; the lists of a read also say which revision they show. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().meta({ description: 'Cursor of the next page, or null on the last.' }),
    revision: wholeNumber.meta({ description: 'The store revision that this answer reflects.' }),
  });
}

export const readinessSchema = z
  .object({ ready: z.boolean(), checks: z.record(z.string(), z.string()) })
  .meta({ id: 'Readiness', description: 'Whether the service can answer requests, check by check.' });

export const livenessSchema = z.object({ live: z.literal(true) }).meta({ id: 'Liveness' });

export const commitPageSchema = pageOf(commitSchema)
  .extend({
    outcome: z
      .object({
        status: z.int(),
        answeredAt: time,
        revision: positive.nullable(),
        body: z.unknown(),
      })
      .nullable()
      .optional()
      .meta({ description: 'With `idempotencyKey`: the stored answer, or null when there is none.' }),
  })
  .meta({ id: 'CommitPage', description: 'A page of the commit log, newest first.' });
