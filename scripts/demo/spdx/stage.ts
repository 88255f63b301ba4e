import type { Claims } from '../claims.js';
import type { Api } from '../client.js';
import type { Difference } from '../content.js';
import type { Watcher } from '../reader.js';
import type { Screen } from '../screen.js';
import type { Era, Timeline } from '../timeline.js';
import type { Release } from './releases.js';

/** What every scene works with. */
export interface Stage {
  api: Api;
  screen: Screen;
  claims: Claims;
  collection: string;
  timeline: Timeline;
  watcher: Watcher;
}

/** A release that has been loaded. */
export interface LoadedRelease {
  release: Release;
  difference: Difference;
  era: Era;
  rehearsalMs: number;
  commitMs: number;
}

/** The path of a record. A key may hold any character, so it is percent-encoded. */
export function recordPath(stage: Stage, key: string): string {
  return `/v1/collections/${stage.collection}/records/${encodeURIComponent(key)}`;
}
