import type { Failure } from '../domain/failure.js';
import { formatReceipt } from '../domain/receipt.js';
import { tagOfPending } from '../domain/validation-state.js';
import type { Context } from './context.js';
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
  const { found, validation, revision, errors, warnings } = await context.validations.submit(input);
  const { pending } = found;
  const { valid, edit, definitionId, currentVersionId } = validation;
  const report: ValidationReport = {
    valid,
    errors,
    warnings,
    validatedRevision: revision,
    digest: pending.content?.digest ?? null,
    receipt: valid
      ? formatReceipt({
          pendingId: pending.id,
          edit,
          definitionId,
          currentVersionId: currentVersionId ?? 0,
          revision,
        })
      : null,
  };
  return { report, tag: tagOfPending({ ...pending, validation }, validation), revision };
}
