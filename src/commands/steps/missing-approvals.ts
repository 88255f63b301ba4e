import { approvalRequired, computeMissingApprovals } from '../../domain/approvals.js';
import type { DiptychError } from '../../domain/errors.js';
import { countApprovers } from '../../store/approvals.js';
import type { Executor } from '../../store/db.js';
import type { Draft } from './draft.js';

/** The refusal of a commit that not enough people have approved as it is; null when nothing is missing. */
export async function missingApprovals(
  executor: Executor,
  { moves, changeset }: Pick<Draft, 'moves' | 'changeset'>,
): Promise<DiptychError | null> {
  if (computeMissingApprovals(moves, 0).length === 0) return null;
  const approvers = changeset === null ? 0 : await countApprovers(executor, changeset);
  const missing = computeMissingApprovals(moves, approvers);
  return missing.length === 0 ? null : approvalRequired(missing);
}
