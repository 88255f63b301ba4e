import type { Actor } from '../domain/actor.js';
import { type ChangesetView, toChangesetView } from '../domain/changeset.js';
import { changesetTag, checkPrecondition, matchesStagedTag } from '../domain/entity-tag.js';
import { DiptychError } from '../domain/errors.js';
import type { Precondition } from '../domain/precondition.js';
import { parseChangesetReceipt } from '../domain/receipt.js';
import { receiptStale } from '../domain/refusals.js';
import { findChangeset, scheduleChangeset as setSchedule } from '../store/changesets.js';
import { withTransaction } from '../store/db.js';
import { findHead } from '../store/head.js';
import type { Context } from './context.js';
import { lockWaitingChangeset } from './steps/lock-changeset.js';
import { type ChangesetReport, reportChangeset } from './steps/report-changeset.js';
import { requireChangesetTag } from './steps/require-changeset-tag.js';

export interface ScheduleChangesetInput {
  id: string;
  commitAt: Date;
  receipt?: string | undefined;
  precondition: Precondition;
  actor: Actor;
}

/**
 * Lets a changeset be committed later, as it is: a scheduled one takes no edits. What stands against it already
 * is shown, and no reason to refuse: it may have passed by then.
 */
export async function scheduleChangeset(
  context: Context,
  input: ScheduleChangesetInput,
): Promise<{ changeset: ChangesetView; report: ChangesetReport; tag: string; revision: number }> {
  const { id, commitAt, precondition, actor } = input;
  if (precondition.ifMatch === undefined && input.receipt === undefined)
    throw await requireChangesetTag(context.db, id);
  const receipt = input.receipt === undefined ? undefined : parseChangesetReceipt(input.receipt);
  // Before it is scheduled, because then it may be committed at any moment.
  const { report, definitions } = await reportChangeset(context, id);
  return await withTransaction(context.db, async (tx) => {
    const { edit } = await lockWaitingChangeset(tx, id);
    const tag = changesetTag({ id, edit, derived: '' });
    checkPrecondition(precondition, tag, { what: 'changeset', required: false, matches: matchesStagedTag });
    if (receipt && (receipt.changeset !== id || receipt.edit !== edit))
      throw receiptStale(['content'], 'The changeset was edited after that validation.', tag);
    if (receipt && receipt.definitions !== definitions)
      throw receiptStale(['definition'], 'A definition has changed since that validation.', tag);
    if (!(await setSchedule(tx, id, { commitAt, by: actor.name }))) throw isPast(commitAt);
    const stored = await findChangeset(tx, id);
    if (stored === null) throw new Error('a locked changeset is not there');
    const { revision } = await findHead(tx);
    return { ...toChangesetView(stored), report, revision };
  });
}

function isPast(commitAt: Date): DiptychError {
  return new DiptychError('invalid-request', `${commitAt.toISOString()} is past.`, {
    errors: [{ pointer: '/commitAt', code: 'past', message: 'must be a moment that is still to come' }],
  });
}
