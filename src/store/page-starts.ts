import { LRUCache } from 'lru-cache';
import type { FeedFilter } from '../domain/feed-change.js';
import type { Position } from '../domain/feed-page.js';

/** A place in the feed, and how many changes are before it. */
export interface PageStart {
  offset: number;
  position: Position;
}

export const feedStart: PageStart = { offset: 0, position: { revision: 0, ordinal: 0 } };

/** How many pages back a known start is looked for. */
const lookBack = 32;

/**
 * Where pages begin that are asked for by number. The log only grows, so what is known stays true, in every process,
 * for ever; and whoever reads page after page asks for the one that begins where the last ended.
 */
export class PageStarts {
  readonly #known: LRUCache<string, Position>;

  constructor(most = 10_000) {
    this.#known = new LRUCache({ max: most });
  }

  /** The nearest known start at or before an offset, by steps of a page. */
  before(filter: FeedFilter, offset: number, limit: number): PageStart {
    for (let at = offset; at > 0 && at >= offset - lookBack * limit; at -= limit) {
      const position = this.#known.get(nameOf(filter, at));
      if (position !== undefined) return { offset: at, position };
    }
    return feedStart;
  }

  keep(filter: FeedFilter, { offset, position }: PageStart): void {
    this.#known.set(nameOf(filter, offset), position);
  }
}

const nameOf = ({ collectionId, keyPrefix }: FeedFilter, offset: number) =>
  JSON.stringify([collectionId, keyPrefix, offset]);
