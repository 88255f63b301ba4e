import { isAfter, type Position, wholeCommit } from '../../domain/feed-page.js';
import type { FeedView, PlacedChange } from '../../domain/feed-view.js';
import { FeedBlock, lengthOf } from './feed-block.js';

/** What a block holds, or one change: as much as a reader is given at a time. */
export const blockBytes = 32 * 1024;

/** What comes after a position, as far as the tail knows. */
export type TailPart =
  | { type: 'bytes'; bytes: Buffer; upTo: Position }
  /** Nothing yet; who follows the tail is told. */
  | { type: 'nothing' }
  /** It is further back than the tail reaches. */
  | { type: 'behind' };

/** The most recent changes, in blocks; the oldest are forgotten where all together are too large. */
export class FeedMemory {
  readonly #maxBytes: number;
  #blocks: FeedBlock[] = [];
  #bytes = 0;
  #end: Position | null = null;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What it holds, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Where the blocks end; null before the first reading. */
  get end(): Position | null {
    return this.#end;
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

  /** Takes over what has been read after its end. */
  append(changes: PlacedChange[], { from, upTo }: { from: Position; upTo: Position }): void {
    let at = from;
    for (const part of inParts(changes)) {
      const end = part.at(-1)?.position ?? at;
      this.#push(new FeedBlock({ from: at, upTo: end, changes: part }));
      at = end;
    }
    // Commits that change no record.
    if (isAfter(upTo, at)) this.#push(new FeedBlock({ from: at, upTo, changes: [] }));
    this.#end = upTo;
  }

  /** Begins anew after a revision. */
  restart(revision: number): void {
    this.#blocks = [];
    this.#bytes = 0;
    this.#end = { revision, ordinal: wholeCommit };
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
