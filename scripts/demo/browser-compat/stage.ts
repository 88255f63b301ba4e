import type { Claims } from '../claims.js';
import type { Api } from '../client.js';
import type { Difference } from '../content.js';
import type { Watcher } from '../reader.js';
import type { Screen } from '../screen.js';
import type { Timeline } from '../timeline.js';
import type { Timings } from '../timings.js';
import type { Release } from './features.js';

/** What every scene works with. */
export interface Stage {
  api: Api;
  screen: Screen;
  claims: Claims;
  timings: Timings;
  collection: string;
  timeline: Timeline;
  watcher: Watcher;
  before: Release;
  after: Release;
  /** From `before` to `after`. */
  difference: Difference;
  /** Of the reader: at most 1,000, and so small that the list has about twenty pages. */
  pageSize: number;
}

/** How many records the switch from one release to the other changes. */
export function changeCountOf({ added, removed, changed }: Difference): number {
  return added.length + removed.length + changed.length;
}

/** `17,783` is easier to read than 17783. */
export function grouped(count: number): string {
  return count.toLocaleString('en');
}
