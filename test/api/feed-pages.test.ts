import { beforeAll, describe, expect, test } from 'vitest';
import { createContext } from '../../src/commands/context.js';
import { type Api, deleting, newCollection, type RunningApi, startApi } from '../support/api.js';
import { readViews } from '../support/feed.js';

interface Row {
  seq: number;
  record_key: string;
  row_kind: string;
}

let running: RunningApi;
let call: Api;
beforeAll(async () => {
  running = await startApi();
  ({ call } = running);
});

const pageOf = async (page: number, query: string): Promise<Row[]> =>
  (await call.get(`/v1/changes?format=rows&page=${page}&${query}`).expect(200)).body.data;

/** Reads page after page as engines do that know nothing else: until one is shorter than its size. */
async function readPages(limit: number, query: string, between: () => Promise<unknown> = async () => {}) {
  const pages: Row[][] = [];
  for (let page = 1; ; page += 1) {
    const rows = await pageOf(page, `limit=${limit}&${query}`);
    pages.push(rows);
    if (rows.length < limit) return pages;
    await between();
  }
}

describe('200', () => {
  test('pages by number are the whole feed, each once and in order, while commits go on', async () => {
    const { name, commit } = await newCollection(call);
    for (let n = 0; n < 5; n += 1) await commit('a', { n });
    const changes = ['b', 'c', 'd'].map((key) => ({ collection: name, key, operation: 'put', data: {} }));
    await call.post('/v1/commits').send({ changes }).expect(200);
    let n = 5;
    const between = async () => {
      n += 1;
      if (n < 10) await commit('a', { n });
    };
    for (const limit of [1, 2, 3]) {
      const pages = await readPages(limit, `collection=${name}`, between);
      const { body } = await call.get(`/v1/changes?format=rows&limit=1000&collection=${name}`).expect(200);
      expect(pages.flat()).toEqual(body.data);
      for (const page of pages) {
        const kinds = page.map((row) => row.row_kind).join(' ');
        expect(kinds.match(/-U/g)?.length).toBe(kinds.match(/-U \+U/g)?.length);
      }
    }
  });

  test('a page beyond the end is empty, and the same page has what came since', async () => {
    const { name, commit } = await newCollection(call);
    const query = `limit=2&collection=${name}`;
    expect(await pageOf(1, query)).toEqual([]);
    expect(await pageOf(1_000_000_000, 'limit=1000')).toEqual([]);
    await commit('a', {});
    expect(await pageOf(1, query)).toHaveLength(1);
    expect(await pageOf(2, query)).toEqual([]);
    for (const key of ['b', 'c']) await commit(key, {});
    expect((await pageOf(1, query)).map((row) => row.record_key)).toEqual(['a', 'b']);
    expect((await pageOf(2, query)).map((row) => row.record_key)).toEqual(['c']);
  });

  test('a page is the same whether it is read in turn or by itself, on any instance', async () => {
    const { name, commit } = await newCollection(call);
    const keys = ['a1', 'b1', 'a2', 'b2', 'a3', 'a4'];
    for (const key of keys) await commit(key, {});
    // It has not answered any page yet.
    const cold = createContext(running.db, { maxRecordBytes: 1_000 });
    const pages = await readPages(2, `collection=${name}`);
    expect(pages.flat().map((row) => row.record_key)).toEqual(keys);
    const second = await readViews(cold, { page: 2, limit: 2, collection: name });
    expect(second.changes.map(({ key }) => key)).toEqual(keys.slice(2, 4));
  });

  test('the other forms have such pages too', async () => {
    const { name, commit } = await newCollection(call);
    for (const key of ['a', 'b']) await commit(key, {});
    const { body, headers } = await call.get(`/v1/changes?page=2&limit=1&collection=${name}`).expect(200);
    expect(body.changes).toMatchObject([{ key: 'b' }]);
    expect(headers.link).toBeUndefined();
  });
});

test('page 1 begins after a position, and each such beginning has pages of its own', async () => {
  const { name, commit } = await newCollection(call);
  const revisions: number[] = [];
  for (const key of ['a', 'b', 'c', 'd']) revisions.push(await commit(key, {}));
  const keysOf = async (page: number, after: number | string) => {
    const path = `/v1/changes?page=${page}&limit=2&collection=${name}&after=${after}`;
    return (await call.get(path).expect(200)).body.changes.map((change: { key: string }) => change.key);
  };
  expect(await keysOf(2, 0)).toEqual(['c', 'd']);
  expect(await keysOf(1, revisions[0] ?? 0)).toEqual(['b', 'c']);
  expect(await keysOf(2, revisions[0] ?? 0)).toEqual(['d']);
  expect(await keysOf(1, `${revisions[2]}.1`)).toEqual(['d']);
  expect(await keysOf(2, revisions[2] ?? 0)).toEqual([]);
  for (const page of [1, 2]) await call.get(`/v1/changes?page=${page}&after=1000000`).expect(404);
});

describe('400', () => {
  test('names everything that does not go together with page', async () => {
    const others = 'after=0&cursor=4&wait=5&group=commit&keyPrefix=a';
    const { body } = await call.get(`/v1/changes?page=1&${others}`).expect(400);
    expect(body.errors).toMatchObject([
      { in: 'query', pointer: '/cursor', code: 'not-together' },
      { in: 'query', pointer: '/wait', code: 'not-together' },
      { in: 'query', pointer: '/group', code: 'not-together' },
      { in: 'query', pointer: '/keyPrefix', code: 'not-together' },
    ]);
  });

  test.each(['page=0', 'page=-1', 'page=1.5', 'page=', 'page=1000000001', 'page=x'])('%s', async (query) => {
    const { body } = await call.get(`/v1/changes?${query}`).expect(400);
    expect(body.errors).toMatchObject([{ pointer: '/page' }]);
  });

  test('a stream has neither pages nor entries', async () => {
    const stream = call.get('/v1/changes?page=1&group=commit').set('Accept', 'application/x-ndjson');
    const { body } = await stream.expect(400);
    expect(body.errors).toMatchObject([{ pointer: '/group' }]);
    for (const name of ['page=1', 'group=commit']) {
      const { body: alone } = await call
        .get(`/v1/changes?${name}`)
        .set('Accept', 'text/event-stream')
        .expect(400);
      expect(alone.errors).toMatchObject([{ pointer: `/${name.split('=')[0]}`, code: 'not-together' }]);
    }
  });

  test('a page that would be too large names the limit', async () => {
    const { name, commit } = await newCollection(call);
    const text = 'x'.repeat(900_000);
    for (let n = 0; n < 10; n += 1) await commit('large', { n, text });
    const { body } = await call.get(`/v1/changes?page=1&limit=10&collection=${name}`).expect(400);
    expect(body.errors).toMatchObject([{ pointer: '/limit', code: 'too-large' }]);
    await call.get(`/v1/changes?page=1&limit=9&collection=${name}`).expect(200);
  });
});

test('410 where retention has taken data after the start of a page, by number or of entries', async () => {
  const { call: alone } = await startApi();
  const { commit, retain } = await newCollection(alone, deleting);
  await commit('a', { n: 1 });
  const horizon = await commit('a', { n: 2 });
  await commit('a', { n: 3 });
  await retain();
  await commit('a', { n: 4 });
  for (const query of [
    'page=1&limit=1',
    'group=commit',
    'group=commit&keyPrefix=a',
    `group=commit&after=${horizon}`,
  ]) {
    const { body } = await alone.get(`/v1/changes?${query}`).expect(410);
    expect(body).toMatchObject({ code: 'position-expired', horizon: horizon + 1 });
  }
  const { body } = await alone.get('/v1/changes?page=4&limit=1').expect(200);
  expect(body.changes).toMatchObject([{ before: { data: { n: 3 } }, after: { data: { n: 4 } } }]);
});
