import type { Line } from '../ndjson.js';
import { readPages } from '../reader.js';
import { readByPages, readFirst, readLines, summaryOf } from '../readings.js';
import { commit, openChangeset, stageLines, validate } from './changeset.js';
import type { Release } from './features.js';
import { changeCountOf, grouped, type Stage } from './stage.js';
import { claimState, enter } from './states.js';

/** The first release comes into the empty collection: one changeset, one revision. */
export async function importRelease(stage: Stage): Promise<void> {
  const { screen, before } = stage;
  const name = `release ${before.name}`;
  const members = before.features.size;
  screen.heading(`2  Release ${before.name}, imported as one changeset`);
  const id = await openChangeset(stage, name);
  await stageLines(stage, id, putLines(stage.collection, before), { name, staged: members, unchanged: 0 });
  await claimState(stage, 'Readers still see an empty list');
  const receipt = await validate(stage, id, { name, members });
  const revision = await commit(stage, id, { name, members, receipt });
  await enter(stage, { name, revision, state: before.features, changeCount: members });
}

/** The second one is sent whole; what it has in common with the first makes no member. */
export async function stageDifference(stage: Stage): Promise<string> {
  const { screen, collection, before, after, difference } = stage;
  const { added, removed, changed } = difference;
  screen.heading(`3  Release ${after.name}, staged by difference`);
  const id = await openChangeset(stage, `release ${after.name}`);
  await stageLines(stage, id, allLines(), {
    name: `release ${after.name}`,
    staged: changeCountOf(difference),
    unchanged: before.features.size - removed.length - changed.length,
  });
  screen.note(
    `what is staged: ${grouped(added.length)} new, ${grouped(changed.length)} changed, ${grouped(removed.length)} gone`,
  );
  return id;

  function* allLines(): Generator<Line> {
    yield* putLines(collection, after);
    for (const key of removed) {
      yield { collection, key, operation: 'delete' };
    }
  }
}

/** The switch, with a reader that has read half of the list when it comes. */
export async function switchRelease(stage: Stage, id: string): Promise<number> {
  const { api, screen, claims, collection, after, difference, timeline, pageSize } = stage;
  const name = `release ${after.name}`;
  const members = changeCountOf(difference);
  screen.heading('5  Validated, and committed in one revision');
  const receipt = await validate(stage, id, { name, members });

  const pages = readPages(api, collection, '', pageSize);
  const half = Math.ceil(stage.before.features.size / pageSize / 2);
  const firstHalf = await readFirst(pages, half);
  const revision = await commit(stage, id, { name, members, receipt });
  const previous = timeline.last;
  await enter(stage, { name, revision, state: after.features, changeCount: members });

  const slow = summaryOf(await readByPages(pages, firstHalf));
  claims.equal(
    [timeline.at(slow.revision)?.name, timeline.explains(slow)],
    [previous.name, true],
    'A reader in the middle of the list when the commit came read the old list to its end',
  );
  const lastKey = firstHalf.records.at(-1)?.[0] ?? '';
  const anew = await readLines(api, collection);
  const mixture = [...firstHalf.records, ...anew.records.filter(([key]) => key > lastKey)];
  claims.check(
    !timeline.knows(summaryOf({ revision, records: mixture }).digest),
    'Had it not held on to its revision, it would have read a mixture',
  );
  return revision;
}

function* putLines(collection: string, release: Release): Generator<Line> {
  for (const [key, data] of release.features) {
    yield { collection, key, operation: 'put', data };
  }
}
