import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, newChangeset, newCollection, startApi } from '../support/api.js';

let call: Api;
let id: string;
let list: (query: string) => ReturnType<Api['get']>;

beforeAll(async () => {
  ({ call } = await startApi());
  const { commit, path, pending } = await newCollection(call);
  for (const [key, price] of Object.entries({ a: 1, b: 2, c: 3 })) await commit(key, { name: key, price });
  ({ id } = await newChangeset(call));
  const stage = (key: string, body: object) =>
    call
      .put(`${pending(key)}?changeset=${id}`)
      .send(body)
      .expect(201);
  await stage('b', { data: { name: 'b', price: 20 }, message: 'Dearer' });
  await stage('c', { operation: 'delete' });
  await stage('d', { data: { name: 'd', price: 0 } });
  list = (query) => call.get(`${path}/records?changeset=${id}${query}`);
});

const keysOf = (body: { items: { key: string }[] }) => body.items.map(({ key }) => key);

describe('200', () => {
  test('lists the committed state with the changeset laid over it', async () => {
    const { body } = await list('').expect(200);
    expect(body.items).toMatchObject([
      { key: 'a', data: { price: 1 }, pending: false, version: 1 },
      { key: 'b', data: { price: 20 }, pending: true, version: null, revision: null, message: 'Dearer' },
      { key: 'd', data: { price: 0 }, pending: true, committedAt: null, committedBy: null, message: null },
    ]);
    expect(body.next).toBeNull();
  });

  test.each([
    ['&filter[price][gte]=1', ['a', 'b']],
    ['&filter[price][eq]=2', []],
    ['&sort=-price', ['b', 'a', 'd']],
    ['&sort=price&filter[price][lt]=20', ['d', 'a']],
    ['&keyPrefix=d', ['d']],
  ])('%s', async (query, expected) => {
    expect(keysOf((await list(query).expect(200)).body)).toEqual(expected);
  });

  test('with fields', async () => {
    const { body } = await list('&fields=price&keyPrefix=b').expect(200);
    expect(body.items[0].data).toEqual({ price: 20 });
  });

  test('in pages, by cursor and by Link', async () => {
    const first = await list('&limit=2').expect(200);
    const [, link = ''] = /^<([^>]+)>; rel="next"$/.exec(first.headers.link ?? '') ?? [];
    expect(keysOf((await call.get(link).expect(200)).body)).toEqual(['d']);
  });
});

describe('refusals', () => {
  test('400 together with a revision, and for a cursor of a list that is no preview', async () => {
    const { body } = await list('&revision=1').expect(400);
    expect(body.errors).toMatchObject([{ in: 'query', pointer: '/changeset' }]);
    const { path, commit } = await newCollection(call);
    await commit('a', {});
    await commit('b', {});
    const page = await call.get(`${path}/records?limit=1`).expect(200);
    const refused = await call.get(`${path}/records?changeset=${id}&cursor=${page.body.next}`).expect(400);
    expect(refused.body.code).toBe('cursor-invalid');
  });

  test('404 without the changeset or the collection', async () => {
    const { path } = await newCollection(call);
    const { body } = await call.get(`${path}/records?changeset=${randomUUID()}`).expect(404);
    expect(body.code).toBe('changeset-not-found');
    const missing = await call.get(`/v1/collections/missing/records?changeset=${id}`).expect(404);
    expect(missing.body.code).toBe('collection-not-found');
  });

  test('409 when the changeset is closed, also in the middle', async () => {
    const { path, commit } = await newCollection(call);
    await commit('a', {});
    await commit('b', {});
    const { id: closing } = await newChangeset(call);
    const first = await call.get(`${path}/records?changeset=${closing}&limit=1`).expect(200);
    await call.post(`/v1/changesets/${closing}/discard`).set('If-Match', '*').expect(200);
    for (const more of ['', `&limit=1&cursor=${first.body.next}`]) {
      const { body } = await call.get(`${path}/records?changeset=${closing}${more}`).expect(409);
      expect(body.code).toBe('changeset-closed');
    }
  });

  test('410 for the next page once the changeset was edited', async () => {
    const { body } = await list('&limit=1').expect(200);
    const other = await newCollection(call);
    await call
      .put(`${other.pending('x')}?changeset=${id}`)
      .send({ data: {} })
      .expect(201);
    const refused = await list(`&limit=1&cursor=${body.next}`).expect(410);
    expect(refused.body.code).toBe('cursor-expired');
    await list('&limit=1').expect(200);
  });
});
