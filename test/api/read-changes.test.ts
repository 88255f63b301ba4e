import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, deleting, newCollection, type RunningApi, startApi } from '../support/api.js';

let call: Api;
let draining: RunningApi;
beforeAll(async () => {
  ({ call } = await startApi());
  draining = await startApi();
});

const headOf = async () => (await call.get('/v1/changes?limit=1').expect(200)).body.head as number;

describe('200', () => {
  test('tells each update as its two records, in order', async () => {
    const { name: collection, commit, remove } = await newCollection(call);
    const after = await headOf();
    const first = await commit('a', { n: 1 });
    await commit('a', { n: 2 });
    const last = await remove('a');
    const { body, headers } = await call.get(`/v1/changes?after=${after}`).expect(200);
    expect(body).toMatchObject({
      changes: [
        {
          revision: first,
          ordinal: 1,
          operation: 'create',
          collection,
          key: 'a',
          before: null,
          after: { version: 1, data: { n: 1 } },
        },
        {
          operation: 'update',
          before: { version: 1, data: { n: 1 } },
          after: { version: 2, data: { n: 2 } },
        },
        { revision: last, operation: 'delete', before: { version: 2, data: { n: 2 } }, after: null },
      ],
      head: last,
    });
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['diptych-revision']).toBe(String(last));
    expect(headers.link).toBe(`</v1/changes?after=${body.next}>; rel="next"`);
  });

  test('pages never lose, repeat or split, but within a commit that is larger than a page', async () => {
    const { name: collection, commit } = await newCollection(call);
    const after = await headOf();
    await commit('a', {});
    const changes = ['b', 'c', 'd'].map((key) => ({ collection, key, operation: 'put', data: {} }));
    await call.post('/v1/commits').send({ changes }).expect(200);
    await commit('e', {});
    const pages: string[][] = [];
    let next = String(after);
    for (;;) {
      const { body } = await call.get(`/v1/changes?after=${next}&limit=2`).expect(200);
      if (body.changes.length === 0) break;
      pages.push(body.changes.map((change: { key: string }) => change.key));
      next = body.next;
    }
    expect(pages.flat()).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(pages[0]).toEqual(['a']);
  });

  test('of one collection', async () => {
    const one = await newCollection(call);
    const other = await newCollection(call);
    const after = await headOf();
    await one.commit('a', {});
    await other.commit('b', {});
    const { body } = await call.get(`/v1/changes?after=${after}&collection=${other.name}`).expect(200);
    expect(body.changes.map((change: { key: string }) => change.key)).toEqual(['b']);
  });

  test('a caller who waits hears of the next commit', async () => {
    const { commit } = await newCollection(call);
    const after = await headOf();
    const waiting = call
      .get(`/v1/changes?after=${after}&wait=30`)
      .expect(200)
      .then(({ body }) => body);
    await commit('a', {});
    expect((await waiting).changes).toHaveLength(1);
  });

  test('a caller who waits is answered at once when the process drains', async () => {
    const { path } = await newCollection(draining.call);
    const { body: collection } = await draining.call.get(path).expect(200);
    const waiting = draining.call
      .get(`/v1/changes?after=${collection.revision}&wait=60`)
      .expect(200)
      .then(({ body }) => body);
    draining.beginDrain();
    expect((await waiting).changes).toEqual([]);
    const { body } = await draining.call.get(`/v1/changes?after=${collection.revision}&wait=60`).expect(200);
    expect(body.changes).toEqual([]);
  });
});

test('400 for what is no position, at the parameter that holds it', async () => {
  for (const [name, query] of [
    ['after', 'after=1.0'],
    ['after', 'after=-1'],
    ['cursor', 'format=rows&cursor=1.0'],
  ]) {
    const { body } = await call.get(`/v1/changes?${query}`).expect(400);
    expect(body.errors).toMatchObject([{ in: 'query', pointer: `/${name}` }]);
  }
});

test('404 for a position that has not come, and for an unknown collection', async () => {
  expect((await call.get('/v1/changes?after=999999').expect(404)).body.code).toBe('revision-not-found');
  expect((await call.get('/v1/changes?after=0&collection=missing').expect(404)).body.code).toBe(
    'collection-not-found',
  );
});

test('410 with the horizon for a position that retention has passed; the way on loses nothing', async () => {
  const { call } = await startApi();
  const kept = await newCollection(call);
  const { name, path, commit, retain } = await newCollection(call, deleting);
  const first = await kept.commit('k', { n: 0 });
  await commit('a', { n: 1 });
  const horizon = await commit('a', { n: 2 });
  await retain();
  const last = await commit('a', { n: 3 });
  for (const query of [
    `after=${horizon - 1}`,
    'after=0',
    `after=${first}&collection=${name}`,
    `after=${horizon}.1`,
  ]) {
    const { body } = await call.get(`/v1/changes?${query}`).expect(410);
    expect(body).toMatchObject({ code: 'position-expired', horizon, head: last });
  }
  const other = await call.get(`/v1/changes?after=0&collection=${kept.name}`).expect(200);
  expect(other.body.changes).toHaveLength(1);
  const next = await call.get(`/v1/changes?after=${horizon}`).expect(200);
  expect(next.body.changes).toMatchObject([{ before: { data: { n: 2 } }, after: { data: { n: 3 } } }]);
  // As the detail of the refusal says: the list, and the feed from its revision on.
  const list = await call.get(`${path}/records`).expect(200);
  expect(list.body.items).toMatchObject([{ data: { n: 3 } }]);
  await commit('a', { n: 4 });
  const news = await call.get(`/v1/changes?after=${list.body.revision}`).expect(200);
  expect(news.body.changes).toMatchObject([{ before: { data: { n: 3 } }, after: { data: { n: 4 } } }]);
  // What each commit changed is told for ever.
  const old = await call.get(`/v1/commits/${horizon}/changes`).expect(200);
  expect(old.body.items).toMatchObject([{ key: 'a', before: 1, after: 2 }]);
});
