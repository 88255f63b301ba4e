import { randomBytes } from 'node:crypto';
import type { Claims } from '../claims.js';
import type { Api } from '../client.js';
import { judgeReader } from '../judge-reader.js';
import { readAll, readPages, snapshotOf, Watcher } from '../reader.js';
import type { Screen } from '../screen.js';
import { Timeline } from '../timeline.js';
import { definition } from './definition.js';
import { loadRelease } from './load-release.js';
import { loadReleases } from './releases.js';
import { replay } from './replay.js';
import { correctOneLicence, plantInvalidLicence, readThePast, showDiff } from './scenes.js';
import type { LoadedRelease, Stage } from './stage.js';

/** The demo on licences, scene by scene. Only the HTTP API is used. */
export async function tellSpdxStory(api: Api, screen: Screen, claims: Claims): Promise<void> {
  const collection = `spdx-licenses-${randomBytes(4).toString('hex')}`;
  const watcher = new Watcher(async () => snapshotOf(await readAll(readPages(api, collection))));
  const stage: Stage = { api, screen, claims, collection, timeline: new Timeline(), watcher };

  const start = await createCollection(stage);
  watcher.start();
  const releases: LoadedRelease[] = [];
  try {
    for (const [index, release] of loadReleases().entries()) {
      screen.heading(`${index + 2}  Release ${release.name}`);
      releases.push(await loadRelease(stage, release));
    }
    await showDiff(stage);
    await readThePast(stage, releases);
    await plantInvalidLicence(stage);
    await correctOneLicence(stage, releases);
  } finally {
    await watcher.stop();
  }
  screen.heading('9  What the reader saw');
  judgeReader(stage);
  await replayFeed(stage, start);
  summarise(stage, releases);
}

/** Returns the revision from which on the collection is there. */
async function createCollection({ api, screen, collection, timeline }: Stage): Promise<number> {
  screen.heading('1  A collection with a schema and rules');
  const { headers } = await api.call('PUT', `/v1/collections/${collection}`, {
    body: definition,
    expect: 201,
  });
  const revision = Number(headers.get('Diptych-Revision'));
  timeline.add({ name: 'the empty list', revision, state: new Map(), changeCount: 0 });
  screen.note(
    `${collection}: JSON Schema and ${definition.rules.length} rules in CEL, since revision ${revision}`,
  );
  screen.note('A reader begins to read the whole list, page by page, and will not stop until the end.');
  return revision;
}

async function replayFeed(
  { api, screen, claims, collection, timeline }: Stage,
  start: number,
): Promise<void> {
  screen.heading('10  The change feed: both records of every change');
  const { last } = timeline;
  const bar = screen.bar(timeline.changeCount);
  const copy = await replay(api, collection, { after: start, until: last.revision }, (changes) =>
    bar.update(changes, `${changes} changes replayed`),
  );
  bar.done();
  claims.equal(
    copy.changes,
    timeline.changeCount,
    `The feed has all ${timeline.changeCount} changes, each once`,
  );
  claims.equal(copy.broken.length, 0, 'Each `before` is what the change before it left behind');
  const wrong = [...copy.digests].filter(([revision, digest]) => !timeline.explains({ revision, digest }));
  claims.equal(
    wrong,
    [],
    `A copy built from the feed alone equals the list at each of ${copy.digests.size} revisions`,
  );
  claims.check(copy.digests.has(last.revision), `and at the end it is exactly ${last.name}`);
}

function summarise({ api, screen, collection, timeline, watcher }: Stage, releases: LoadedRelease[]): void {
  screen.heading('Summary');
  const erasRead = watcher.snapshots.map(({ revision }) => timeline.at(revision)?.revision);
  screen.table(
    ['release', 'licences', 'new', 'gone', 'changed', 'revision', 'rehearsal', 'commit', 'read whole'],
    releases.map(({ release, difference, era, rehearsalMs, commitMs }) => [
      release.name,
      release.licences.size,
      difference.added.length,
      difference.removed.length,
      difference.changed.length,
      era.revision,
      `${Math.round(rehearsalMs)} ms`,
      `${Math.round(commitMs)} ms`,
      `${erasRead.filter((revision) => revision === era.revision).length} times`,
    ]),
  );
  screen.note(`${api.baseUrl}/v1/collections/${collection}/records`);
}
