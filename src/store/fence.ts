import { onceQuiet } from '../lib/once-quiet.js';
import type { Db } from './db.js';
import { type News, newsOf, newsSince } from './news.js';
import type { ReadCache } from './read-cache.js';

/** What a cover shows of a collection: its id, and from which revision on what readers saw of it is whole. */
export interface CoveredCollection {
  id: number;
  horizon: number;
}

/** What a statement showed that was sent after those arrived who share it. */
export interface Cover {
  /** Of its snapshot. */
  head: number;
  /** When it was sent, on the clock that says when reads arrived. */
  sentAt: number;
  /** Of the collections that were asked for; those that there are. */
  collections: ReadonlyMap<string, CoveredCollection>;
}

/** Counts arrivals and sendings, so that it can be shown which came first. */
export interface Clock {
  now: number;
}

/**
 * Who waits for a cover. It is told in the very turn in which the cover comes, so that nothing is between what the
 * statement saw and what is read then; and it throws nothing, because others are told after it.
 */
export interface Waiter {
  covered(cover: Cover): void;
  failed(error: unknown): void;
}

interface Gathering {
  waiters: Waiter[];
  collections: Set<string>;
}

/** Nothing that a read of the present does not need: this is the statement that is run all the time. */
const newsStatement = `SELECT head.revision AS head, ${newsSince('$1')} AS news FROM head`;

const collectionsStatement = `
  SELECT head.revision AS head, ${newsSince('$1')} AS news,
         (SELECT json_object_agg(name, json_build_object('id', id, 'horizon', horizon))
          FROM collection WHERE name = ANY ($2)) AS collections
  FROM head`;

interface FenceRow {
  head: number;
  news: News['changes'];
  collections?: Record<string, CoveredCollection> | null;
}

/**
 * Lets reads be answered from the cache: each waits for one tiny statement that was sent after it arrived, and that
 * brings the cache forward to its snapshot. All that arrived before it was sent share it; those that arrive while it
 * runs share the next.
 */
export class Fence {
  readonly #db: Db;
  readonly #cache: ReadCache;
  readonly #clock: Clock;
  #gathering: Gathering | null = null;
  #isRunning = false;

  constructor(db: Db, cache: ReadCache, clock: Clock) {
    this.#db = db;
    this.#cache = cache;
    this.#clock = clock;
  }

  /**
   * Waits until the cache shows a state at least as new as now. Nothing but the waiter is made for it: a promise for
   * each of the reads in flight costs as much as its share of the statement.
   *
   * @param collection that the cover shows too
   */
  whenCovered(waiter: Waiter, collection?: string): void {
    if (this.#gathering === null) {
      this.#gathering = { waiters: [], collections: new Set() };
      if (!this.#isRunning) this.#schedule();
    }
    this.#gathering.waiters.push(waiter);
    if (collection !== undefined) this.#gathering.collections.add(collection);
  }

  /** The same as a promise, for those who do more than look into the cache. */
  cover(collection?: string): Promise<Cover> {
    return new Promise((covered, failed) => this.whenCovered({ covered, failed }, collection));
  }

  #schedule(): void {
    onceQuiet(
      () => this.#gathering?.waiters.length ?? 0,
      () => this.#send(),
    );
  }

  #send(): void {
    const gathering = this.#gathering;
    if (gathering === null) return;
    this.#gathering = null;
    this.#isRunning = true;
    this.#clock.now += 1;
    const { waiters, collections } = gathering;
    this.#ask(this.#clock.now, [...collections]).then(
      (cover) => {
        this.#goOn();
        for (const waiter of waiters) waiter.covered(cover);
      },
      (error: unknown) => {
        this.#goOn();
        for (const waiter of waiters) waiter.failed(error);
      },
    );
  }

  #goOn(): void {
    this.#isRunning = false;
    if (this.#gathering !== null) this.#schedule();
  }

  async #ask(sentAt: number, collections: string[]): Promise<Cover> {
    const since = this.#cache.revision;
    const [row] = await (collections.length === 0
      ? this.#db.query<FenceRow>(newsStatement, [since])
      : this.#db.query<FenceRow>(collectionsStatement, [since, collections]));
    if (row === undefined) throw new Error('the head row is missing');
    this.#cache.advance(newsOf(row, since));
    return { head: row.head, sentAt, collections: new Map(Object.entries(row.collections ?? {})) };
  }
}
