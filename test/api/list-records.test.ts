import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, deleting, newCollection, startApi } from '../support/api.js';

let call: Api;
let path: string;
let commit: (key: string, data: object) => Promise<number>;

beforeAll(async () => {
  ({ call } = await startApi());
  ({ path, commit } = await newCollection(call, { indexes: ['/price'] }));
  await commit('a1', { name: 'Anvil', price: 30, tags: ['heavy'], size: { width: 3 } });
  await commit('a2', { name: 'Axe', price: 9, tags: [] });
  await commit('b1', { name: 'Bolt', price: 0.5, 'odd[name]': 'x' });
  await commit('b2', { name: 'Bucket', price: null });
});

const keysOf = (body: { items: { key: string }[] }) => body.items.map(({ key }) => key);
const keys = async (query: string) => keysOf((await call.get(`${path}/records?${query}`).expect(200)).body);

describe('200', () => {
  test('lists live records by key', async () => {
    const { body } = await call.get(`${path}/records`).expect(200);
    expect(keysOf(body)).toEqual(['a1', 'a2', 'b1', 'b2']);
    expect(body.next).toBeNull();
    expect(body.revision).toEqual(expect.any(Number));
  });

  test.each([
    ['keyPrefix=b', ['b1', 'b2']],
    ['filter[price][gte]=9', ['a1', 'a2']],
    ['filter[price][lt]=9', ['b1']],
    ['filter[name][eq]=Axe', ['a2']],
    ['filter[name][prefix]=B', ['b1', 'b2']],
    ['filter[name][in]=Axe,Bolt', ['a2', 'b1']],
    ['filter[size.width][eq]=3', ['a1']],
    ['filter[/size/width][eq]=3', ['a1']],
    ['filter[tags][exists]=true', ['a1', 'a2']],
    ['filter[tags][contains]=heavy', ['a1']],
    ['filter[odd%255Bname%255D][eq]=x', ['b1']],
    ['filter[price]=%7B%22gte%22%3A%229%22%2C%22lt%22%3A%2230%22%7D', ['a2']],
    ['filter[price][gte]=9&filter[name][eq]=Axe', ['a2']],
    ['sort=-key', ['b2', 'b1', 'a2', 'a1']],
  ])('%s', async (query, expected) => {
    expect(await keys(query)).toEqual(expected);
  });

  test('sorts by a value, and by key where it is the same', async () => {
    const sorted = await keys('sort=price&filter[price][gte]=0');
    expect(sorted).toEqual(['b1', 'a2', 'a1']);
    expect(await keys('sort=-price&filter[price][gte]=0')).toEqual(['a1', 'a2', 'b1']);
  });

  test('shows only the fields that were asked for', async () => {
    const { body } = await call.get(`${path}/records?fields=name,size.width&keyPrefix=a`).expect(200);
    expect(body.items.map((item: { data: object }) => item.data)).toEqual([
      { name: 'Anvil', size: { width: 3 } },
      { name: 'Axe' },
    ]);
  });

  test('all pages show one revision, whatever is committed meanwhile', async () => {
    const collection = await newCollection(call);
    for (const key of ['a', 'b', 'c']) {
      await collection.commit(key, { n: 1 });
    }
    const first = await call.get(`${collection.path}/records?limit=1`).expect(200);
    await collection.commit('b', { n: 2 });
    await collection.remove('c');
    const [, link = ''] = /^<([^>]+)>; rel="next"$/.exec(first.headers.link ?? '') ?? [];
    const second = await call.get(link).expect(200);
    const third = await call.get(`${collection.path}/records?limit=1&cursor=${second.body.next}`).expect(200);
    expect([second, third].map(({ body }) => body.revision)).toEqual([
      first.body.revision,
      first.body.revision,
    ]);
    expect([second, third].map(({ body }) => body.items[0].data)).toEqual([{ n: 1 }, { n: 1 }]);
    expect(third.body.next).toBeNull();
    expect(third.headers.link).toBeUndefined();
    const now = await call.get(`${collection.path}/records?fields=n`).expect(200);
    expect(now.body.items.map((item: { data: object }) => item.data)).toEqual([{ n: 1 }, { n: 2 }]);
  });

  test('as it was at a revision', async () => {
    const collection = await newCollection(call);
    const revision = await collection.commit('a', { n: 1 });
    await collection.remove('a');
    const { body } = await call.get(`${collection.path}/records?revision=${revision}`).expect(200);
    expect(body).toMatchObject({ revision, items: [{ key: 'a', data: { n: 1 } }] });
  });
});

test('304 for the same answer, and not for another query', async () => {
  const { headers } = await call.get(`${path}/records?limit=1`).expect(200);
  await call
    .get(`${path}/records?limit=1`)
    .set('If-None-Match', headers.etag ?? '')
    .expect(304);
  await call
    .get(`${path}/records?limit=2`)
    .set('If-None-Match', headers.etag ?? '')
    .expect(200);
});

describe('refusals', () => {
  test('400 for a cursor of another query', async () => {
    const { body } = await call.get(`${path}/records?limit=1`).expect(200);
    const refused = await call.get(`${path}/records?limit=1&sort=-key&cursor=${body.next}`).expect(400);
    expect(refused.body.code).toBe('cursor-invalid');
    await call.get(`${path}/records?cursor=nonsense`).expect(400);
  });

  test.each([
    'filter[price][gte]=%ED%A0%80',
    'sort=/a~2',
    'filter[price][gte]=1&filter[price][gte]=2',
    'limit=1001',
  ])('400 for %s', async (query) => {
    await call.get(`${path}/records?${query}`).expect(400);
  });

  test.each([
    'filter[price][gte]=abc',
    'filter[price][eq]=1e999',
    "filter[a'b\"c$.x][eq]='",
    'filter[price][prefix]=%25_\\',
    'filter[constructor][eq]=1',
    'filter[__proto__.x][exists]=true',
    'filter[tags.0][eq]=heavy',
    'sort=missing,-tags',
    'fields=__proto__',
    'keyPrefix=%25',
    `filter[name][in]=${'x,'.repeat(2000)}`,
  ])('no value makes the service fail: %.60s', async (query) => {
    const { status } = await call.get(`${path}/records?${query}`);
    expect([200, 400]).toContain(status);
  });

  test('404 without the collection or the revision', async () => {
    expect((await call.get('/v1/collections/missing/records').expect(404)).body.code).toBe(
      'collection-not-found',
    );
    expect((await call.get(`${path}/records?revision=99999999`).expect(404)).body.code).toBe(
      'revision-not-found',
    );
  });
});

test('410 with the horizon below it, also in the middle of a chain of cursors', async () => {
  const { commit, path, retain } = await newCollection(call, deleting);
  await commit('a', { n: 1 });
  const below = await commit('b', { n: 1 });
  const page = await call.get(`${path}/records?limit=1`).expect(200);
  const horizon = await commit('b', { n: 2 });
  await retain();
  const queries = [
    `revision=${below}`,
    `revision=${below}&filter[n][eq]=7`,
    `limit=1&cursor=${page.body.next}`,
  ];
  for (const query of queries) {
    const { body } = await call.get(`${path}/records?${query}`).expect(410);
    expect(body).toMatchObject({ code: 'revision-compacted', horizon });
  }
  const { body } = await call.get(`${path}/records?revision=${horizon}`).expect(200);
  expect(body.items.map((item: { data: object }) => item.data)).toEqual([{ n: 1 }, { n: 2 }]);
});
