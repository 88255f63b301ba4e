import { LRUCache } from 'lru-cache';
import type { FeedFilter } from '../domain/feed-change.js';
import type { Position } from '../domain/feed-page.js';

/** Pages that are counted from one position, and hold the same changes: all readers of them share what is known. */
export interface PageSeries {
  after: Position;
  filter: FeedFilter;
}

/** A place in the feed, and how many changes of its series are before it. */
export interface PageStart {
  offset: number;
  position: Position;
}

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
  before(series: PageSeries, offset: number, limit: number): PageStart {
    for (let at = offset; at > 0 && at >= offset - lookBack * limit; at -= limit) {
      const position = this.#known.get(nameOf(series, at));
      if (position !== undefined) return { offset: at, position };
    }
    return { offset: 0, position: series.after };
  }

  keep(series: PageSeries, { offset, position }: PageStart): void {
    this.#known.set(nameOf(series, offset), position);
  }
}

const nameOf = ({ after, filter: { collectionId, keyPrefix } }: PageSeries, offset: number) =>
  JSON.stringify([after.revision, after.ordinal, collectionId, keyPrefix, offset]);
