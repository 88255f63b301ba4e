import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, archiving, deleting, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

const shortOf = (items: { key: string; version: number; outcome: string; reasons: string[] }[]) =>
  items.map(({ key, version, outcome, reasons }) =>
    `${key}${version} ${outcome} ${reasons.join(' ')}`.trim(),
  );

describe('200', () => {
  test('a definition that says nothing has a bounded default', async () => {
    const { name, path } = await newCollection(call);
    const { body } = await call.get(`${path}/retention`).expect(200);
    expect(body).toMatchObject({
      collection: name,
      policy: { keepVersions: 100, keepDays: 90, onExpire: 'archive' },
      isDefault: true,
      horizon: 0,
      run: null,
      items: [],
      next: null,
    });
  });

  test('tells of every version what would become of it, and why it stays', async () => {
    const { commit, stage, path, retain } = await newCollection(call, {
      retention: { keepVersions: 2, onExpire: 'delete' },
    });
    for (const n of [1, 2, 3]) await commit('a', { n });
    await commit('b', { n: 1 });
    await stage('b', { n: 9 });
    for (const n of [2, 3]) await commit('b', { n });
    const before = await call.get(`${path}/retention`).expect(200);
    expect(shortOf(before.body.items)).toEqual([
      'a1 delete',
      'a2 keep newest',
      'a3 keep current newest',
      'b1 keep base',
      'b2 keep newest',
      'b3 keep current newest',
    ]);
    await retain();
    const { body } = await call.get(`${path}/retention?key=a`).expect(200);
    expect(shortOf(body.items)).toEqual(['a1 keep deleted', 'a2 keep newest', 'a3 keep current newest']);
    expect(body.run).toMatchObject({ archived: 0, deleted: 1, finishedAt: expect.any(String) });
    expect(body.horizon).toBe((await call.get(`${path}/records/a/versions/2`).expect(200)).body.revisions[0]);
  });

  test('says when a version goes that only its age keeps', async () => {
    const { commit, path } = await newCollection(call, { retention: { keepDays: 7 } });
    await commit('a', { n: 1 });
    await commit('a', { n: 2 });
    const { body } = await call.get(`${path}/retention`).expect(200);
    const [young, current] = body.items;
    expect(young.reasons).toEqual(['young']);
    expect(Date.parse(young.expiresAt) - Date.parse(young.supersededAt)).toBe(7 * 86_400_000);
    expect(current).toMatchObject({ supersededAt: null, expiresAt: null });
  });

  test('only those that would go, before and after they have gone', async () => {
    const { commit, path, retain } = await newCollection(call, archiving);
    for (const n of [1, 2, 3]) await commit('a', { n });
    await commit('b', { n: 1 });
    const url = `${path}/retention?expiring=true`;
    expect(shortOf((await call.get(url).expect(200)).body.items)).toEqual(['a1 archive', 'a2 archive']);
    await retain();
    expect((await call.get(url).expect(200)).body.items).toEqual([]);
    await call.put(path).set('If-Match', '*').send(deleting).expect(200);
    expect(shortOf((await call.get(url).expect(200)).body.items)).toEqual(['a1 delete', 'a2 delete']);
  });

  test('pages hold each version once', async () => {
    const { commit, path } = await newCollection(call, archiving);
    for (const n of [1, 2, 3]) for (const key of ['a', 'b']) await commit(key, { n });
    for (const [query, expected] of [
      ['', ['a1', 'a2', 'a3', 'b1', 'b2', 'b3']],
      ['&expiring=true', ['a1', 'a2', 'b1', 'b2']],
      ['&key=b', ['b1', 'b2', 'b3']],
    ] as const) {
      const seen: string[] = [];
      for (let next: string | null = ''; next !== null; ) {
        const url: string = `${path}/retention?limit=2${query}${next && `&cursor=${next}`}`;
        const { body }: { body: { items: { key: string; version: number }[]; next: string | null } } =
          await call.get(url).expect(200);
        seen.push(...body.items.map((item) => `${item.key}${item.version}`));
        next = body.next;
      }
      expect(seen).toEqual(expected);
    }
  });
});

test('304 for the same answer', async () => {
  const { commit, path } = await newCollection(call);
  await commit('a', {});
  const { headers } = await call.get(`${path}/retention`).expect(200);
  await call
    .get(`${path}/retention`)
    .set('If-None-Match', headers.etag ?? '')
    .expect(304);
});

test('404 without the collection or the record', async () => {
  const { stage, path } = await newCollection(call);
  await stage('pending', {});
  const missing = await call.get('/v1/collections/missing/retention').expect(404);
  expect(missing.body.code).toBe('collection-not-found');
  for (const key of ['never', 'pending'])
    expect((await call.get(`${path}/retention?key=${key}`).expect(404)).body.code).toBe('record-not-found');
});

test('400 for a cursor of another query, and for what is no flag', async () => {
  const { commit, path } = await newCollection(call, archiving);
  for (const n of [1, 2, 3]) await commit('a', { n });
  const { body } = await call.get(`${path}/retention?limit=1`).expect(200);
  const other = `${path}/retention?limit=1&expiring=true&cursor=`;
  for (const cursor of [body.next, 'x'])
    expect((await call.get(other + cursor).expect(400)).body.code).toBe('cursor-invalid');
  expect((await call.get(`${path}/retention?expiring=yes`).expect(400)).body.code).toBe('invalid-request');
});
