import { setTimeout as delay } from 'node:timers/promises';
import { DiptychError } from '../../domain/errors.js';
import { unfiltered } from '../../domain/feed-change.js';
import { type Position, wholeCommit } from '../../domain/feed-page.js';
import { findHead } from '../../store/head.js';
import type { QueryContext } from '../context.js';
import {
  FeedBlock,
  type FeedView,
  isAfter,
  lengthOf,
  type PlacedChange,
  placeChanges,
} from './feed-block.js';
import { type FeedPart, readFeedPage } from './feed-page.js';

/** What the tail holds in memory, or one block. */
const maxBytes = 8 * 1024 * 1024;

/** What a block holds, or one change: as much as a reader is given at a time. */
export const blockBytes = 32 * 1024;

/** How much of the feed is read at a time. */
const page = { limit: 1000, maxBytes: 1024 * 1024 };

/** A tail that has rested for so many revisions begins anew at the head. */
const staleRevisions = 1000;

const waitMs = 60_000;
const pauseMs = 250;

/** What comes after a position, as far as the tail knows. */
export type TailPart =
  | { type: 'bytes'; bytes: Buffer; upTo: Position }
  /** Nothing yet; who follows the tail is told. */
  | { type: 'nothing' }
  /** It is further back than the tail reaches. */
  | { type: 'behind' };

/**
 * The most recent changes, as bytes ready to send, read once for all streams of the process. It reads on while
 * anybody follows it, and never further than one page ahead of what is in memory.
 */
export class FeedTail {
  readonly #context: QueryContext;
  readonly #onError: (error: unknown) => void;
  readonly #maxBytes: number;
  readonly #followers = new Set<() => void>();
  #blocks: FeedBlock[] = [];
  #bytes = 0;
  /** Where the blocks end; null before the first reading. */
  #end: Position | null = null;
  #isRunning = false;
  /** Ends the wait for news when the last follower leaves. */
  #left = new AbortController();

  constructor(context: QueryContext, options: { onError: (error: unknown) => void; maxBytes?: number }) {
    this.#context = context;
    this.#onError = options.onError;
    this.#maxBytes = options.maxBytes ?? maxBytes;
  }

  /** What it holds, about. */
  get bytes(): number {
    return this.#bytes;
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
    if (this.#end === null || !isAfter(this.#end, position)) return { type: 'nothing' };
    const block = this.#blocks[this.#find(position)];
    if (block === undefined) return { type: 'behind' };
    const before = block.bytes;
    const bytes = block.bytesAfter(position, view, this.#maxBytes);
    this.#bytes += block.bytes - before;
    this.#forget();
    return { type: 'bytes', bytes, upTo: block.upTo };
  }

  /** The index of the block that goes on after a position; -1 where it is further back than all of them. */
  #find(position: Position): number {
    let low = 0;
    let high = this.#blocks.length;
    // Most readers are at the end.
    while (low < high) {
      const middle = (low + high) >> 1;
      const block = this.#blocks[middle];
      if (block !== undefined && isAfter(block.upTo, position)) high = middle;
      else low = middle + 1;
    }
    const block = this.#blocks[low];
    return block === undefined || isAfter(block.from, position) ? -1 : low;
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
        // A tail that stands still loses nothing: it goes on from where it is when the database is there again.
        this.#onError(error);
        await delay(pauseMs, undefined, { ref: false });
      }
    }
    this.#isRunning = false;
  }

  async #begin(): Promise<void> {
    const { revision } = await findHead(this.#context.db);
    if (this.#end === null || revision - this.#end.revision > staleRevisions) this.#restart(revision);
  }

  async #advance(): Promise<void> {
    const end = this.#end;
    if (end === null) throw new Error('the tail has not begun');
    const above = end.ordinal === wholeCommit ? end.revision : end.revision - 1;
    const head = await this.#context.heads.waitAbove(above, {
      timeoutMs: waitMs,
      signal: this.#left.signal,
    });
    if (head === undefined) return;
    const part = await this.#read(end, head);
    if (part === null) this.#restart(head);
    else this.#append(placeChanges(part.changes, part.next), { from: end, upTo: part.next });
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

  #append(changes: PlacedChange[], { from, upTo }: { from: Position; upTo: Position }): void {
    let at = from;
    for (const part of inParts(changes)) {
      const end = part.at(-1)?.position ?? at;
      this.#push(new FeedBlock({ from: at, upTo: end, changes: part }));
      at = end;
    }
    // Commits that change no record.
    if (isAfter(upTo, at)) this.#push(new FeedBlock({ from: at, upTo, changes: [] }));
    this.#end = upTo;
    this.#tell();
  }

  #push(block: FeedBlock): void {
    this.#blocks.push(block);
    this.#bytes += block.bytes;
    this.#forget();
  }

  #forget(): void {
    while (this.#bytes > this.#maxBytes && this.#blocks.length > 1) {
      this.#bytes -= this.#blocks.shift()?.bytes ?? 0;
    }
  }

  /** Whoever is further back pages from the database until it is here. */
  #restart(revision: number): void {
    this.#blocks = [];
    this.#bytes = 0;
    this.#end = { revision, ordinal: wholeCommit };
    this.#tell();
  }

  #tell(): void {
    for (const onNews of this.#followers) onNews();
  }
}

/** Changes in the parts that blocks are made of. */
function inParts(changes: PlacedChange[]): PlacedChange[][] {
  const parts: PlacedChange[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const placed of changes) {
    const more = lengthOf(placed.change);
    if (length + more > blockBytes) {
      parts.push([]);
      length = 0;
    }
    parts.at(-1)?.push(placed);
    length += more;
  }
  return parts;
}
