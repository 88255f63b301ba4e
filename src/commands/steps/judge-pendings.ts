import type { DefinitionCache } from '../../domain/definition-cache.js';
import type { DiptychError } from '../../domain/errors.js';
import type { Failure } from '../../domain/failure.js';
import { judgeMoves } from '../../domain/judge.js';
import { type Move, weighMove } from '../../domain/move.js';
import { moveToPending } from '../../domain/plan.js';
import { collectionNotFound, pendingNotFound } from '../../domain/refusals.js';
import { type Db, type Executor, withSnapshot } from '../../store/db.js';
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

/** Pending versions that their own schemas and rules have been asked about. */
interface Weighed {
  revision: number;
  /** Undefined where the contents or the work of those before it were enough for one group. */
  items: ({ found: FoundPending; moves: Move[] } | { refused: DiptychError } | undefined)[];
  /** Whether what other records hold matters to any of them. */
  looksAcross: boolean;
}

/**
 * Judges groups of pending versions: what would be if each of them were committed now, by itself. None sees the
 * others. One statement shows one moment, and that is enough for records that nothing ties to others; if there are
 * ties, all that is looked at is read from one snapshot. A group is likely to be as the one before it.
 */
export class PendingJudge {
  readonly #db: Db;
  readonly #definitions: DefinitionCache;
  #looksAcross = false;

  constructor(db: Db, definitions: DefinitionCache) {
    this.#db = db;
    this.#definitions = definitions;
  }

  /** @returns undefined where those before it were enough for one group */
  async judge(wanted: PendingAddress[]): Promise<(Judged | { refused: DiptychError } | undefined)[]> {
    if (!this.#looksAcross) {
      const weighed = await weighPendings(this.#db, this.#definitions, wanted);
      if (!weighed.looksAcross) return await judgeWeighed(this.#db, weighed);
    }
    return await withSnapshot(this.#db, async (snapshot) => {
      const weighed = await weighPendings(snapshot, this.#definitions, wanted);
      this.#looksAcross = weighed.looksAcross;
      return await judgeWeighed(snapshot, weighed);
    });
  }
}

async function weighPendings(
  executor: Executor,
  definitions: DefinitionCache,
  wanted: PendingAddress[],
): Promise<Weighed> {
  const { revision, lookups } = await findJudged(executor, wanted);
  await loadDefinitions(executor, definitions, lookups);
  const pace = new JudgePace(Number.POSITIVE_INFINITY);
  const weighed: Weighed = { revision, items: [], looksAcross: false };
  const { items } = weighed;
  for (const [index, at] of wanted.entries()) {
    const lookup = lookups[index];
    if (lookup === undefined || lookup.collectionId === null)
      items.push({ refused: collectionNotFound(at.collection) });
    else if (lookup.id === null) items.push({ refused: pendingNotFound(at) });
    else if (!lookup.fits || pace.spent > maxGroupWork) items.push(undefined);
    else {
      const found = toFoundPending(lookup, at, definitions);
      const planned = moveToPending({ type: 'pending', ...at }, found, found.pending);
      const moves = 'move' in planned ? [weighMove(planned.move)] : [];
      for (const move of moves) {
        pace.spend(move.own.work);
        weighed.looksAcross ||= isTied(move);
      }
      items.push({ found, moves });
      await pace.pause(executor);
    }
  }
  return weighed;
}

const isTied = ({ after }: Move) => after === null || after.claims.length + after.references.length > 0;

async function judgeWeighed(
  executor: Executor,
  { items, revision }: Weighed,
): Promise<(Judged | { refused: DiptychError } | undefined)[]> {
  const world = await loadWorld(
    executor,
    items.flatMap((item) => (item && 'moves' in item ? [item.moves] : [])),
  );
  return items.map((item) => {
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
