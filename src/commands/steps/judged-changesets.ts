import { LRUCache } from 'lru-cache';
import type { Move } from '../../domain/move.js';
import type { ChangesetOnSnapshot } from './prepare-changeset.js';

/** Members, and what ties them to other records, that are kept of all changesets together: some ten megabytes. */
const maxKept = 20_000;

/** Who validates mostly commits at once, or thinks about it for a while. */
const maxAgeMs = 600_000;

/** A changeset as it was judged: `prepared` is for one commit. */
export interface JudgedChangeset extends Pick<ChangesetOnSnapshot, 'stored' | 'prepared'> {
  /** When; what the changeset tells of its validation. */
  at: string;
}

/**
 * Changesets that have been found valid here, so that the commit that follows need not read and judge them again. It
 * is no proof of anything: under the head's lock a commit confirms all that its preparation rests on, however old that is.
 */
export class JudgedChangesets {
  readonly #kept = new LRUCache<string, JudgedChangeset>({
    maxSize: maxKept,
    ttl: maxAgeMs,
    // What is never asked for again goes as well.
    ttlAutopurge: true,
    sizeCalculation: ({ prepared }) => prepared.moves.reduce(addMove, 1 + prepared.unchanged.length),
  });

  keep(judged: JudgedChangeset): void {
    this.#kept.set(judged.stored.id, judged);
  }

  /** Gives it away: a commit writes into what it has prepared. */
  take(id: string): JudgedChangeset | undefined {
    const judged = this.#kept.get(id);
    this.#kept.delete(id);
    return judged;
  }
}

const tiesIn = (state: Move['before' | 'after']) =>
  state === null ? 0 : state.claims.length + state.references.length;

const addMove = (sum: number, { before, after }: Move) => sum + 1 + tiesIn(before) + tiesIn(after);
