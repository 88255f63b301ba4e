import type { DefinitionCache } from '../../domain/definition-cache.js';
import type { DiptychError } from '../../domain/errors.js';
import type { Failure } from '../../domain/failure.js';
import { judgeMoves } from '../../domain/judge.js';
import { type Move, weighMove } from '../../domain/move.js';
import { moveToPending } from '../../domain/plan.js';
import { collectionNotFound, pendingNotFound } from '../../domain/refusals.js';
import type { Snapshot } from '../../store/db.js';
import { findHead } from '../../store/head.js';
import { findJudged } from '../../store/judged-pendings.js';
import { JudgePace } from './judge-pace.js';
import { loadWorld } from './load-world.js';
import type { PendingAddress } from './lock-pending.js';
import { type FoundPending, loadDefinitions, toFoundPending } from './read-judged.js';

/** A pending version as it was judged. */
export interface Judged {
  found: FoundPending;
  /** The store revision of the state that was judged. */
  revision: number;
  errors: Failure[];
  warnings: Failure[];
}

/** Units of work after which the others of a group are left for the next: a tenth of a second of an ordinary definition. */
const maxGroupWork = 2_000_000;

/**
 * Judges what would be if each of these pending versions were committed now, by itself: none sees the others.
 * Undefined where the contents or the work of those before it were enough for one group.
 */
export async function judgePendings(
  snapshot: Snapshot,
  definitions: DefinitionCache,
  wanted: PendingAddress[],
): Promise<(Judged | { refused: DiptychError } | undefined)[]> {
  const [{ revision }, lookups] = await Promise.all([findHead(snapshot), findJudged(snapshot, wanted)]);
  await loadDefinitions(snapshot, definitions, lookups);
  const pace = new JudgePace(Number.POSITIVE_INFINITY);
  const weighed: ({ found: FoundPending; moves: Move[] } | { refused: DiptychError } | undefined)[] = [];
  for (const [index, at] of wanted.entries()) {
    const lookup = lookups[index];
    if (lookup === undefined || lookup.collectionId === null)
      weighed.push({ refused: collectionNotFound(at.collection) });
    else if (lookup.id === null) weighed.push({ refused: pendingNotFound(at) });
    else if (!lookup.fits || pace.spent > maxGroupWork) weighed.push(undefined);
    else {
      const found = toFoundPending(lookup, at, definitions);
      const planned = moveToPending({ type: 'pending', ...at }, found, found.pending);
      const moves = 'move' in planned ? [weighMove(planned.move)] : [];
      for (const { own } of moves) pace.spend(own.work);
      weighed.push({ found, moves });
      await pace.pause(snapshot);
    }
  }
  const world = await loadWorld(
    snapshot,
    weighed.flatMap((item) => (item && 'moves' in item ? [item.moves] : [])),
  );
  return weighed.map((item) => {
    if (item === undefined || 'refused' in item) return item;
    const { found, moves } = item;
    const { errors, warnings } = judgeMoves(moves, world);
    return { found, revision, errors: [...outdatedFailures(found), ...errors], warnings };
  });
}

function outdatedFailures({ current, pending }: FoundPending): Failure[] {
  if (pending.baseVersionId === (current?.versionId ?? null)) return [];
  return [
    {
      pointer: '/baseVersion',
      code: 'base-outdated',
      message: `was started from version ${pending.baseNumber ?? 'none'}, and the record is at ${current?.number ?? 'none'} now`,
    },
  ];
}
