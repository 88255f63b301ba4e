import { readLines, summaryOf } from '../readings.js';
import type { Era } from '../timeline.js';
import type { Stage } from './stage.js';

/** Once as lines and once by pages, or the reader has proved nothing of this state. */
const SNAPSHOTS_PER_STATE = 2;

/** Claims that what readers see is, to the last character, the state that began last. */
export async function claimState({ api, claims, collection, timeline }: Stage, claim: string): Promise<void> {
  const snapshot = summaryOf(await readLines(api, collection));
  claims.check(
    timeline.explains(snapshot) && timeline.at(snapshot.revision) === timeline.last,
    claim,
    `${snapshot.size} records at revision ${snapshot.revision}, expected ${timeline.last.state.size}`,
  );
}

/** A new state has begun: the reader must meet it before the story goes on. */
export async function enter(stage: Stage, era: Era): Promise<void> {
  const { screen, timeline, watcher } = stage;
  timeline.add(era);
  const bar = screen.bar(SNAPSHOTS_PER_STATE);
  await watcher.waitFor(era.revision, SNAPSHOTS_PER_STATE, (seen) =>
    bar.update(seen, `the reader has read it ${seen} times`),
  );
  bar.done();
  await claimState(stage, `The list is exactly ${era.name}: ${era.state.size.toLocaleString('en')} records`);
}
