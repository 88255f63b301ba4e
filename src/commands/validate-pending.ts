import type { Failure } from '../domain/failure.js';
import type { PendingIntent } from '../domain/intent.js';
import { judgeMoves } from '../domain/judge.js';
import { weighMove } from '../domain/move.js';
import { type Found, moveToPending } from '../domain/plan.js';
import { formatReceipt } from '../domain/receipt.js';
import { pendingNotFound } from '../domain/refusals.js';
import { type StoredValidation, tagOfPending } from '../domain/validation-state.js';
import { withSnapshot, withTransaction } from '../store/db.js';
import { findHead } from '../store/head.js';
import { updateValidation } from '../store/versions.js';
import type { Context } from './context.js';
import { readFound } from './steps/load-found.js';
import { loadWorld } from './steps/load-world.js';
import type { PendingAddress } from './steps/lock-pending.js';

export interface ValidationReport {
  valid: boolean;
  errors: Failure[];
  warnings: Failure[];
  /** The store revision of the state that was judged. */
  validatedRevision: number;
  /** Digest of the content that was judged; null for a deletion. */
  digest: string | null;
  /** Commits exactly what was judged, as long as it holds; null when it is invalid. */
  receipt: string | null;
}

/** Judges what would be if the pending version were committed now. Never refuses an invalid one: that is an answer. */
export async function validatePending(
  context: Context,
  input: PendingAddress,
): Promise<{ report: ValidationReport; tag: string; revision: number }> {
  const intent: PendingIntent = { type: 'pending', ...input };
  const { found, pending, revision, judgement } = await withSnapshot(context.db, async (snapshot) => {
    const head = await findHead(snapshot);
    const [lookup] = await readFound(snapshot, context.definitions, [intent]);
    if (lookup && 'refused' in lookup) throw lookup.refused;
    const pending = lookup?.found.pending;
    if (!pending) throw pendingNotFound(input);
    const planned = moveToPending(intent, lookup.found, pending);
    const moves = 'move' in planned ? [weighMove(planned.move)] : [];
    const judgement = judgeMoves(moves, await loadWorld(snapshot, [moves]));
    return { found: lookup.found, pending, revision: head.revision, judgement };
  });
  const currentVersionId = found.current?.versionId ?? null;
  const errors = [...outdatedFailures(found, pending), ...judgement.errors];
  const validation: StoredValidation = {
    valid: errors.length === 0,
    errorCount: errors.length,
    warningCount: judgement.warnings.length,
    revision,
    at: new Date().toISOString(),
    edit: pending.edit,
    definitionId: found.collection.definitionId,
    currentVersionId,
  };
  await withTransaction(context.db, (tx) => updateValidation(tx, pending.id, validation));
  const report: ValidationReport = {
    valid: validation.valid,
    errors,
    warnings: judgement.warnings,
    validatedRevision: revision,
    digest: pending.content?.digest ?? null,
    receipt: validation.valid ? receiptFor(found, pending, revision) : null,
  };
  const tag = tagOfPending(
    { ...pending, validation },
    { currentVersionId, definitionId: found.collection.definitionId },
  );
  return { report, tag, revision };
}

type Pending = NonNullable<Found['pending']>;

function outdatedFailures(found: Found, pending: Pending): Failure[] {
  if (pending.baseVersionId === (found.current?.versionId ?? null)) return [];
  return [
    {
      pointer: '/baseVersion',
      code: 'base-outdated',
      message: `was started from version ${pending.baseNumber ?? 'none'}, and the record is at ${found.current?.number ?? 'none'} now`,
    },
  ];
}

function receiptFor(found: Found, pending: Pending, revision: number): string {
  return formatReceipt({
    pendingId: pending.id,
    edit: pending.edit,
    definitionId: found.collection.definitionId,
    currentVersionId: found.current?.versionId ?? 0,
    revision,
  });
}
