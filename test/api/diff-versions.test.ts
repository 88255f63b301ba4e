import { beforeAll, expect, test } from 'vitest';
import { type Api, archiving, deleting, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

test('200 compares with the version before, or with any other', async () => {
  const { commit, record } = await newCollection(call);
  for (const n of [1, 2, 3]) {
    await commit('a', { n });
  }
  const diff = async (query: string) => (await call.get(`${record('a')}/versions/${query}`).expect(200)).body;
  expect(await diff('3/diff')).toEqual({
    from: 2,
    to: 3,
    patch: [{ op: 'replace', path: '/n', value: 3 }],
    changes: [{ pointer: '/n', before: 2, after: 3 }],
  });
  expect(await diff('1/diff?against=3')).toMatchObject({
    from: 3,
    to: 1,
    changes: [{ before: 3, after: 1 }],
  });
  expect(await diff('1/diff')).toMatchObject({ from: null, to: 1 });
  expect(await diff('2/diff?against=2')).toMatchObject({ from: 2, to: 2, patch: [], changes: [] });
});

test('304 for the same answer', async () => {
  const { commit, record } = await newCollection(call);
  await commit('a', {});
  const url = `${record('a')}/versions/1/diff`;
  const { headers } = await call.get(url).expect(200);
  await call
    .get(url)
    .set('If-None-Match', headers.etag ?? '')
    .expect(304);
});

test('404 for a version that is not there', async () => {
  const { commit, record } = await newCollection(call);
  await commit('a', {});
  expect((await call.get(`${record('a')}/versions/2/diff`).expect(404)).body.code).toBe('version-not-found');
  expect((await call.get(`${record('a')}/versions/1/diff?against=9`).expect(404)).body.code).toBe(
    'version-not-found',
  );
  expect((await call.get(`${record('b')}/versions/1/diff`).expect(404)).body.code).toBe('record-not-found');
});

test('200 for archived versions, 410 where the data of either side is deleted', async () => {
  const archived = await newCollection(call, archiving);
  const deleted = await newCollection(call, deleting);
  for (const { commit, retain } of [archived, deleted]) {
    for (const n of [1, 2, 3]) await commit('a', { n });
    await retain();
  }
  const { body } = await call.get(`${archived.record('a')}/versions/2/diff`).expect(200);
  expect(body.changes).toEqual([{ pointer: '/n', before: 1, after: 2 }]);
  for (const url of ['versions/3/diff', 'versions/2/diff?against=3', 'versions/1/diff'])
    expect((await call.get(`${deleted.record('a')}/${url}`).expect(410)).body.code).toBe('version-expired');
});
