import { randomBytes } from 'node:crypto';
import type { Claims } from '../claims.js';
import type { Api } from '../client.js';
import { differenceOf } from '../content.js';
import { judgeReader } from '../judge-reader.js';
import { readPages, type Snapshot, Watcher } from '../reader.js';
import { readByPages, readLines, summaryOf } from '../readings.js';
import type { Screen } from '../screen.js';
import { Timeline } from '../timeline.js';
import { Timings } from '../timings.js';
import { copyElsewhere, type Elsewhere } from './copy.js';
import { definition } from './definition.js';
import type { Release } from './features.js';
import { preview } from './preview.js';
import { importRelease, stageDifference, switchRelease } from './releases.js';
import { revertTwice } from './revert.js';
import { grouped, type Stage } from './stage.js';

/** At most so many records are on a page of the reader. */
const PAGE_SIZE_MAX = 1_000;
const PAGES = 20;

/** What the two releases hold: before, after, and the difference between them. */
const WHOLE = { before: 17_783, after: 20_968, added: 3_363, removed: 178, changed: 9_754 };

export interface Props {
  api: Api;
  screen: Screen;
  claims: Claims;
  /** The older and the newer. */
  releases: [Release, Release];
  /** The releases are only this area of the web, or null: they are whole. */
  part: string | null;
  /** Where the export goes; asked for when it is needed. */
  openElsewhere(): Promise<Elsewhere>;
}

/** The demo on browser compatibility data, scene by scene. Only the HTTP API is used. */
export async function tellBrowserCompatStory(props: Props): Promise<void> {
  const stage = setStage(props);
  const { screen } = stage;
  await createCollection(stage);
  claimCounts(stage, props.part);
  stage.watcher.start();
  try {
    await importRelease(stage);
    const changeset = await stageDifference(stage);
    await preview(stage, changeset);
    const switched = await switchRelease(stage, changeset);
    await revertTwice(stage, switched);
    const elsewhere = await props.openElsewhere();
    try {
      await copyElsewhere(stage, elsewhere);
    } finally {
      await elsewhere.service.stop();
    }
  } finally {
    await stage.watcher.stop();
  }
  screen.heading('8  What the reader saw');
  judgeReader(stage);
  screen.heading('Summary');
  stage.timings.print(screen);
  screen.note('Each time is what the client waits for the call, beside a reader that never stopped.');
  screen.note(`${stage.api.baseUrl}/v1/collections/${stage.collection}/records`);
}

function setStage({ api, screen, claims, releases: [before, after] }: Props): Stage {
  const collection = `browser-compat-${randomBytes(4).toString('hex')}`;
  const pageSize = Math.min(PAGE_SIZE_MAX, Math.ceil(after.features.size / PAGES));
  return {
    api,
    screen,
    claims,
    collection,
    before,
    after,
    pageSize,
    difference: differenceOf(before.features, after.features),
    timings: new Timings(),
    timeline: new Timeline(),
    watcher: new Watcher(readAlternately(api, collection, pageSize)),
  };
}

/** Both ways in which readers read a whole list, by turns. */
function readAlternately(api: Api, collection: string, pageSize: number): () => Promise<Snapshot> {
  let turn = 0;
  return async () => {
    turn += 1;
    return summaryOf(
      turn % 2 === 0
        ? await readLines(api, collection)
        : await readByPages(readPages(api, collection, '', pageSize)),
    );
  };
}

async function createCollection({ api, screen, collection, timeline }: Stage): Promise<void> {
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
  screen.note(
    'A reader begins to read the whole list, page by page and as one stream by turns, and will not stop.',
  );
}

/** With a part of the data there is nothing to claim: the counts are those of the part. */
function claimCounts({ screen, claims, before, after, difference }: Stage, part: string | null): void {
  const { added, removed, changed } = difference;
  const counts = {
    before: before.features.size,
    after: after.features.size,
    added: added.length,
    removed: removed.length,
    changed: changed.length,
  };
  const [old, young] = [`${grouped(counts.before)} features`, grouped(counts.after)];
  const sentence =
    `Release ${before.name} has ${old}, ${after.name} has ${young}: ` +
    `${grouped(counts.added)} new, ${grouped(counts.changed)} changed, ${grouped(counts.removed)} gone`;
  if (part === null) {
    claims.equal(counts, WHOLE, sentence);
  } else {
    screen.note(`Only ${part}. ${sentence}`);
  }
}
