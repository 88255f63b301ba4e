import type { FeedChange, FeedFilter } from './feed-change.js';
import { type Position, wholeCommit } from './feed-page.js';

/** A change, and the position of who has seen it. */
export interface PlacedChange {
  change: FeedChange;
  position: Position;
}

/** What a stream shows of the feed, and how. */
export interface FeedView {
  /** Of the way of writing: those of one name and filter write the same bytes. */
  name: string;
  filter: FeedFilter;
  /** The text of changes, of which there is at least one, up to and with a position. */
  write: (changes: PlacedChange[], upTo: Position) => string;
}

/** The positions of changes that follow each other, the last of which leads to `next`. */
export function placeChanges(changes: FeedChange[], next: Position): PlacedChange[] {
  return changes.map((change, index) => {
    const { revision, ordinal } = change;
    const following = changes[index + 1];
    // The feed goes on in the same commit.
    const isOpen =
      following === undefined
        ? next.revision === revision && next.ordinal === ordinal
        : following.revision === revision;
    return { change, position: { revision, ordinal: isOpen ? ordinal : wholeCommit } };
  });
}
