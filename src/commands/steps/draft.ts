import { DiptychError } from '../../domain/errors.js';
import type { CommitRequest, Intent } from '../../domain/intent.js';
import { weighMove } from '../../domain/move.js';
import { planIntent } from '../../domain/plan.js';
import type { Tx } from '../../store/db.js';
import { JudgePace } from './judge-pace.js';
import type { Lookup } from './load-found.js';
import type { AcceptedCommit } from './write-commits.js';

/** One commit on its way: what it moves, and what already stands against it. */
export interface Draft extends AcceptedCommit {
  refusals: DiptychError[];
  /** The tag of the pending version that is to be committed, for refusals. */
  pendingTag: string | null;
  /** The changeset as it is under lock. */
  changeset: { id: string; edit: number; digest: string } | null;
}

/**
 * Units of work that the members of one commit may take together while the head's lock is held: about two
 * seconds of an ordinary definition. A changeset is judged before the lock, and may be much more work.
 */
export const maxWork = 40_000_000;

/** Units of work that the commits of one transaction have taken so far. */
export interface Spent {
  work: number;
}

/** Plans and weighs the intents of a request on what was found for them, and counts the work in `spent`. */
export async function draftIntents(
  tx: Tx,
  request: CommitRequest,
  lookups: Lookup[],
  { limits, spent }: { limits: { maxRecordBytes: number }; spent: Spent },
): Promise<Draft> {
  const pace = new JudgePace(maxWork);
  const draft: Draft = {
    request,
    moves: [],
    refusals: [],
    consumedPendingIds: [],
    pendingTag: null,
    changeset: null,
  };
  for (const [index, intent] of request.intents.entries()) {
    const lookup = lookups[index];
    if (lookup === undefined) throw new Error('an intent without a lookup');
    try {
      if ('refused' in lookup) throw lookup.refused;
      draft.pendingTag ??= lookup.found.pending?.tag ?? null;
      const planned = planIntent(intent, lookup.found, limits);
      if ('move' in planned) {
        const move = weighMove(planned.move);
        draft.moves.push(move);
        pace.spend(move.own.work);
      } else if (planned.consumedPendingId !== null) draft.consumedPendingIds.push(planned.consumedPendingId);
    } catch (error) {
      if (!(error instanceof DiptychError)) throw error;
      draft.refusals.push(placeRefusal(error, intent));
      // More work than one call may make: the rest would be too.
      if (error.code === 'work-limit') break;
    }
    await pace.pause(tx);
  }
  spent.work += pace.spent;
  return draft;
}

/** Makes sure that a refusal of one change of several names that change in `errors`. */
export function placeRefusal(refusal: DiptychError, intent: Intent): DiptychError {
  if (intent.type === 'pending' || intent.type === 'rollback') return refusal;
  const { collection, key } = intent;
  const pointer = intent.type === 'change' ? intent.pointer : '';
  const errors = refusal.options.errors ?? [{ pointer, code: refusal.code, message: refusal.detail }];
  return new DiptychError(refusal.code, refusal.detail, {
    ...refusal.options,
    errors: errors.map((failure) => ({ ...failure, collection, key })),
  });
}
