import type { Claims } from './claims.js';
import type { Watcher } from './reader.js';
import type { Screen } from './screen.js';
import type { Timeline } from './timeline.js';

interface Witnesses {
  screen: Screen;
  claims: Claims;
  timeline: Timeline;
  watcher: Watcher;
}

/** Holds every snapshot of the reader against the one state that was right at its revision. */
export function judgeReader({ screen, claims, timeline, watcher }: Witnesses): void {
  const { snapshots } = watcher;
  const mixtures = snapshots.filter((snapshot) => !timeline.explains(snapshot));
  const filled = snapshots.filter(({ size }) => size > 0).length;
  claims.equal(
    mixtures.map(({ revision, size }) => ({ revision, size })),
    [],
    `${filled} times it read the whole list, each time exactly that of its revision: never a mixture`,
  );
  screen.note(
    `before that ${snapshots.length - filled} times the empty list, and nothing of what was not committed`,
  );
  const revisions = snapshots.map(({ revision }) => revision);
  claims.check(
    revisions.every((revision, index) => revision >= (revisions[index - 1] ?? 0)),
    'It never went back to an older revision',
  );
}
