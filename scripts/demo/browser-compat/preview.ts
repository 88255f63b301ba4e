import type { LiveRecord } from '../client.js';
import { readPages } from '../reader.js';
import { readByPages, readLines, summaryOf } from '../readings.js';
import type { Release } from './features.js';
import { grouped, type Stage } from './stage.js';
import { claimState } from './states.js';

/** Whoever names the changeset sees the whole release; everybody else sees nothing of it. */
export async function preview(stage: Stage, id: string): Promise<void> {
  const { api, screen, claims, timings, collection, after, difference, timeline, pageSize } = stage;
  const query = `changeset=${id}`;
  const wanted = timeline.digestOf(after.features);
  const size = after.features.size;
  screen.heading('4  Previewed');

  const lines = await timings.measure('preview, as lines', size, () => readLines(api, collection, query));
  claims.equal(summaryOf(lines).digest, wanted, `The preview as lines is exactly release ${after.name}`);
  const pages = await timings.measure('preview, by pages', size, () =>
    readByPages(readPages(api, collection, query, pageSize)),
  );
  claims.equal(summaryOf(pages).digest, wanted, 'and page by page as well');

  const filter = 'filter[status.deprecated][eq]=true&fields=source_file';
  const shown = (await keysOf(stage, `${filter}&${query}`)).sort();
  claims.equal(
    shown,
    deprecatedOf(after),
    `Filters look at the preview: ${grouped(shown.length)} features are deprecated in it`,
  );
  const live = (await keysOf(stage, filter)).sort();
  claims.equal(live, deprecatedOf(stage.before), `and ${grouped(live.length)} in what readers see`);

  const [fresh] = difference.added;
  const [gone] = difference.removed;
  const [changed] = difference.changed;
  if (fresh !== undefined) {
    claims.equal(
      await bothStatuses(fresh),
      [200, 404],
      `${fresh} is there (200), and for readers not yet (404)`,
    );
  }
  if (gone !== undefined) {
    claims.equal(
      await bothStatuses(gone),
      [410, 200],
      `${gone} is gone (410), and for readers still there (200)`,
    );
  }
  if (changed !== undefined) {
    const { body } = await api.call<LiveRecord>('GET', `${recordPath(changed)}?${query}`);
    claims.equal(
      timeline.digestOf(new Map([[changed, body.data]])),
      timeline.digestOf(new Map([[changed, after.features.get(changed)]])),
      `${changed} shows what it will be`,
    );
  }
  await claimState(stage, `Readers still see release ${stage.before.name}, to the last character`);

  function recordPath(key: string): string {
    return `/v1/collections/${collection}/records/${encodeURIComponent(key)}`;
  }

  async function bothStatuses(key: string): Promise<number[]> {
    return [await api.statusOf(`${recordPath(key)}?${query}`), await api.statusOf(recordPath(key))];
  }
}

function deprecatedOf({ features }: Release): string[] {
  return [...features].flatMap(([key, { status }]) => (status?.deprecated === true ? [key] : [])).sort();
}

async function keysOf({ api, collection, pageSize }: Stage, query: string): Promise<string[]> {
  const { records } = await readByPages(readPages(api, collection, query, pageSize));
  return records.map(([key]) => key);
}
