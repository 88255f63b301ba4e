import { computeMissingApprovals } from '../../domain/approvals.js';
import { type ChangesetValidation, type StoredChangeset, toChangesetView } from '../../domain/changeset.js';
import type { Failure } from '../../domain/failure.js';
import { judgeMoves } from '../../domain/judge.js';
import type { Overlap } from '../../domain/overlap.js';
import { definitionsDigest, formatChangesetReceipt } from '../../domain/receipt.js';
import { changesetClosed } from '../../domain/refusals.js';
import { countApprovers } from '../../store/approvals.js';
import { findChangeset, updateChangesetValidation } from '../../store/changesets.js';
import { type Snapshot, withSnapshot, withTransaction } from '../../store/db.js';
import { findHead } from '../../store/head.js';
import type { Context } from '../context.js';
import { findOverlaps } from './find-overlaps.js';
import { loadWorld } from './load-world.js';
import { type ChangesetOnSnapshot, readChangeset } from './prepare-changeset.js';

/** Failures that a report lists at most; all are counted. */
const listedFailures = 1_000;

export interface ChangesetReport {
  valid: boolean;
  /** At most 1,000 each; `errorCount` and `warningCount` count all. */
  errors: Failure[];
  warnings: Failure[];
  errorCount: number;
  warningCount: number;
  memberCount: number;
  /** The store revision of the state that was judged. */
  validatedRevision: number;
  /** Digest over the content of all members: what approvals are bound to. */
  digest: string;
  /** Commits exactly what was judged, as long as it holds; null when it is invalid. */
  receipt: string | null;
  /** Approvals that are still missing, by collection. */
  missingApprovals: { collection: string; required: number; missing: number }[];
  /** Other open changesets that touch the same records or want the same unique values. */
  overlaps: Overlap[];
}

/**
 * Judges the state that committing the whole changeset now would make, and keeps the outcome with it.
 *
 * @returns `definitions` the digest of the definitions that it was judged by, as receipts carry it
 */
export async function reportChangeset(
  context: Context,
  id: string,
): Promise<{ report: ChangesetReport; tag: string; revision: number; definitions: string }> {
  const { report, validation, stored, prepared, definitions } = await context.longWork.run(() =>
    withSnapshot(context.db, (snapshot) => judgeChangeset(snapshot, context, id)),
  );
  await withTransaction(context.db, (tx) => updateChangesetValidation(tx, id, validation));
  if (report.valid) context.judged.keep({ stored, prepared, at: validation.at });
  const kept = await findChangeset(context.db, id);
  const { tag } = toChangesetView({ ...(kept ?? stored), edit: stored.edit });
  return { report, tag, revision: validation.revision, definitions };
}

async function judgeChangeset(
  snapshot: Snapshot,
  context: Context,
  id: string,
): Promise<{
  report: ChangesetReport;
  validation: ChangesetValidation;
  stored: StoredChangeset;
  prepared: ChangesetOnSnapshot['prepared'];
  definitions: string;
}> {
  const head = await findHead(snapshot);
  const read = await readChangeset(snapshot, context, id);
  const { prepared } = read;
  if (read.stored.state !== 'open' && read.stored.state !== 'scheduled')
    throw changesetClosed(id, read.stored.state);
  const judgement = judgeMoves(prepared.moves, await loadWorld(snapshot, [prepared.moves]));
  const refused = prepared.refusals.filter(({ code }) => code !== 'base-outdated');
  const errors = [
    ...refused.flatMap(({ options }) => options.errors ?? []),
    ...read.outdated,
    ...judgement.errors,
  ];
  const errorCount = refused.length + read.outdatedCount + judgement.errorCount;
  const valid = errorCount === 0;
  const definitions = definitionsDigest(prepared.definitions);
  const receipt = {
    changeset: id,
    edit: read.stored.edit,
    definitions,
    revision: head.revision,
  };
  const approvers = await countApprovers(snapshot, prepared.changeset);
  const report: ChangesetReport = {
    valid,
    errors: errors.slice(0, listedFailures),
    warnings: judgement.warnings,
    errorCount,
    warningCount: judgement.warningCount,
    memberCount: read.stored.memberCount,
    validatedRevision: head.revision,
    digest: prepared.changeset.digest,
    receipt: valid ? formatChangesetReceipt(receipt) : null,
    missingApprovals: computeMissingApprovals(prepared.moves, approvers),
    overlaps: await findOverlaps(snapshot, id, prepared),
  };
  const validation: ChangesetValidation = {
    valid,
    errorCount,
    warningCount: judgement.warningCount,
    revision: head.revision,
    at: new Date().toISOString(),
    edit: read.stored.edit,
    definitionIds: [...prepared.definitions.values()].map(({ definitionId }) => definitionId),
  };
  return { report, validation, stored: read.stored, prepared, definitions };
}
