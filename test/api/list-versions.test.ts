import { beforeAll, expect, test } from 'vitest';
import { type Api, archiving, deleting, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

test('200 lists the committed versions, newest first, with every revision of each', async () => {
  const { commit, record, stage } = await newCollection(call);
  const first = await commit('a', { n: 1 });
  const second = await commit('a', { n: 2 });
  const { body: back } = await call
    .post(`${record('a')}/rollback`)
    .send({ toVersion: 1 })
    .expect(200);
  await stage('a', { n: 3 });
  const { body } = await call.get(`${record('a')}/versions`).expect(200);
  expect(body.items).toMatchObject([
    { version: 2, revisions: [second], current: false, archived: false },
    { version: 1, revisions: [first, back.revision], current: true, archived: false },
  ]);
});

test('200 in pages, also of a deleted record', async () => {
  const { commit, record, remove } = await newCollection(call);
  for (const n of [1, 2, 3]) {
    await commit('a', { n });
  }
  await remove('a');
  const first = await call.get(`${record('a')}/versions?limit=2`).expect(200);
  const second = await call.get(`${record('a')}/versions?limit=2&cursor=${first.body.next}`).expect(200);
  const versions = [first, second].flatMap(({ body }) =>
    body.items.map((item: { version: number }) => item.version),
  );
  expect(versions).toEqual([3, 2, 1]);
  expect(second.body.next).toBeNull();
});

test('304 for the same answer', async () => {
  const { commit, record } = await newCollection(call);
  await commit('a', {});
  const { headers } = await call.get(`${record('a')}/versions`).expect(200);
  await call
    .get(`${record('a')}/versions`)
    .set('If-None-Match', headers.etag ?? '')
    .expect(304);
});

test('404 for a record that was never committed', async () => {
  const { stage, record } = await newCollection(call);
  await stage('a', {});
  expect((await call.get(`${record('a')}/versions`).expect(404)).body.code).toBe('record-not-found');
  await call.get('/v1/collections/missing/records/a/versions').expect(404);
});

test('400 for a cursor that is none', async () => {
  const { commit, record } = await newCollection(call);
  await commit('a', {});
  expect((await call.get(`${record('a')}/versions?cursor=x`).expect(400)).body.code).toBe('cursor-invalid');
});

test('versions that retention archived or deleted stay in the list with who, when and digest', async () => {
  for (const definition of [archiving, deleting]) {
    const { commit, record, retain } = await newCollection(call, definition);
    for (const n of [1, 2, 3]) await commit('a', { n });
    const before = await call.get(`${record('a')}/versions`).expect(200);
    await retain();
    const gone = definition === archiving ? { archived: true } : { deleted: true };
    const { body } = await call.get(`${record('a')}/versions`).expect(200);
    const [current, ...others] = before.body.items;
    expect(body.items).toEqual([current, ...others.map((item: object) => ({ ...item, ...gone }))]);
    expect(current).toMatchObject({ version: 3, current: true, archived: false, deleted: false });
  }
});
