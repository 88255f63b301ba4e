import type { FeedChange, FeedFilter } from '../../domain/feed-change.js';
import { isAfter, type Position } from '../../domain/feed-page.js';
import type { FeedView, PlacedChange } from '../../domain/feed-view.js';

/** A stretch of the feed. */
export interface FeedStretch {
  changes: PlacedChange[];
  /** The position that it begins after. */
  from: Position;
  /** The position that it ends with. */
  upTo: Position;
}

/** What there is of a change beside its content, about. */
const frameBytes = 500;

/** The length of a change as a text, about. */
export function lengthOf({ before, after, key }: FeedChange): number {
  return frameBytes + key.length + (before?.content.length ?? 0) + (after?.content.length ?? 0);
}

/** What any block takes in memory, about, and what each view of it takes beside its bytes. */
const blockFrameBytes = 400;

const nothing = Buffer.alloc(0);

/** A stretch of the feed in memory, with its bytes in each view that somebody has asked for. */
export class FeedBlock {
  readonly from: Position;
  readonly upTo: Position;
  readonly #changes: PlacedChange[];
  readonly #written = new Map<string, Buffer>();
  /** In memory, about. */
  bytes: number;

  constructor({ from, upTo, changes }: FeedStretch) {
    this.from = from;
    this.upTo = upTo;
    this.#changes = changes;
    // A text in memory may take two bytes for each character.
    this.bytes = changes.reduce((sum, { change }) => sum + 2 * lengthOf(change), blockFrameBytes);
  }

  /**
   * The bytes of what follows a position. Who reads from the beginning shares them, unless the block has grown so
   * large with all the views of it that those of another are not kept.
   */
  bytesAfter(position: Position, view: FeedView, maxBytes: number): Buffer {
    if (isAfter(position, this.from)) return writeView(this.#changes, view, this.upTo, position);
    const name = nameOf(view);
    const known = this.#written.get(name);
    if (known !== undefined) return known;
    const bytes = writeView(this.#changes, view, this.upTo);
    const cost = bytes.length + blockFrameBytes;
    if (this.bytes + cost <= maxBytes) {
      this.#written.set(name, bytes);
      this.bytes += cost;
    }
    return bytes;
  }
}

const nameOf = ({ name, filter }: FeedView) => `${name} ${filter.collection ?? ''} ${filter.keyPrefix ?? ''}`;

/** The bytes of those changes after a position that a view shows; none where it shows none of them. */
export function writeView(
  changes: PlacedChange[],
  view: FeedView,
  upTo: Position,
  after: Position | null = null,
): Buffer {
  const shown = changes.filter(
    // By the place of the change itself: that after it is beyond all the commit's ordinals where it is the last.
    ({ change }) => passes(change, view.filter) && (after === null || isAfter(change, after)),
  );
  return shown.length === 0 ? nothing : Buffer.from(view.write(shown, upTo));
}

function passes({ collection, key }: FeedChange, filter: FeedFilter): boolean {
  if (filter.collection !== null && collection !== filter.collection) return false;
  return filter.keyPrefix === null || key.startsWith(filter.keyPrefix);
}
