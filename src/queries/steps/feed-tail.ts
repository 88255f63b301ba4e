import { setTimeout as delay } from 'node:timers/promises';
import { DiptychError } from '../../domain/errors.js';
import { unfiltered } from '../../domain/feed-change.js';
import { type Position, wholeCommit } from '../../domain/feed-page.js';
import { type FeedView, placeChanges } from '../../domain/feed-view.js';
import { findHead } from '../../store/head.js';
import type { QueryContext } from '../context.js';
import { FeedMemory, type TailPart } from './feed-memory.js';
import { type FeedPart, readFeedPage } from './feed-page.js';

/** What the tail holds in memory, or one block. */
const maxBytes = 8 * 1024 * 1024;

/** How much of the feed is read at a time. */
const page = { limit: 1000, maxBytes: 1024 * 1024 };

/** A tail that has rested for so many revisions begins anew at the head. */
const staleRevisions = 1000;

const waitMs = 60_000;
const pauseMs = 250;

/**
 * The most recent changes, as bytes ready to send, read once for all streams of the process. It reads on while
 * anybody follows it, and never further than one page ahead of what is in memory.
 */
export class FeedTail {
  readonly #context: QueryContext;
  readonly #onError: (error: unknown) => void;
  readonly #memory: FeedMemory;
  readonly #followers = new Set<() => void>();
  #isRunning = false;
  /** Ends the wait for news when the last follower leaves. */
  #left = new AbortController();

  constructor(context: QueryContext, options: { onError: (error: unknown) => void; maxBytes?: number }) {
    this.#context = context;
    this.#onError = options.onError;
    this.#memory = new FeedMemory(options.maxBytes ?? maxBytes);
  }

  /** What it holds, about. */
  get bytes(): number {
    return this.#memory.bytes;
  }

  /**
   * Tells `onNews` of all that comes from now on.
   *
   * @returns ends that
   */
  follow(onNews: () => void): () => void {
    this.#followers.add(onNews);
    if (!this.#isRunning) void this.#run();
    return () => {
      this.#followers.delete(onNews);
      if (this.#followers.size === 0) this.#left.abort();
    };
  }

  /** What comes next after a position, in one view. */
  take(position: Position, view: FeedView): TailPart {
    return this.#memory.take(position, view);
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    let hasBegun = false;
    while (this.#followers.size > 0) {
      if (this.#left.signal.aborted) this.#left = new AbortController();
      try {
        if (!hasBegun) await this.#begin();
        hasBegun = true;
        await this.#advance();
      } catch (error) {
        if (this.#followers.size === 0) break;
        // A tail that stands still loses nothing: it goes on from where it is when the database is there again.
        this.#onError(error);
        await delay(pauseMs, undefined, { ref: false });
      }
    }
    this.#isRunning = false;
  }

  async #begin(): Promise<void> {
    const { revision } = await findHead(this.#context.db);
    const { end } = this.#memory;
    if (end === null || revision - end.revision > staleRevisions) this.#restart(revision);
  }

  async #advance(): Promise<void> {
    const { end } = this.#memory;
    if (end === null) throw new Error('the tail has not begun');
    const above = end.ordinal === wholeCommit ? end.revision : end.revision - 1;
    const head = await this.#context.heads.waitAbove(above, {
      timeoutMs: waitMs,
      signal: this.#left.signal,
    });
    if (head === undefined) return;
    const part = await this.#read(end, head);
    if (part === null) this.#restart(head);
    else {
      this.#memory.append(placeChanges(part.changes, part.next), { from: end, upTo: part.next });
      this.#tell();
    }
  }

  /** Null when retention was faster. */
  async #read(after: Position, head: number): Promise<FeedPart | null> {
    try {
      return await readFeedPage(this.#context, { ...page, after, head, filter: unfiltered });
    } catch (error) {
      if (error instanceof DiptychError && error.code === 'position-expired') return null;
      throw error;
    }
  }

  /** Whoever is further back pages from the database until it is here. */
  #restart(revision: number): void {
    this.#memory.restart(revision);
    this.#tell();
  }

  #tell(): void {
    for (const onNews of this.#followers) onNews();
  }
}
