import { beforeAll, expect, test } from 'vitest';
import { type Api, archiving, deleting, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

test('200 is what was committed then, and whether it is current', async () => {
  const { commit, record } = await newCollection(call);
  const first = await commit('a', { n: 1 });
  await commit('a', { n: 2 });
  const { body } = await call.get(`${record('a')}/versions/1`).expect(200);
  expect(body).toMatchObject({ version: 1, revisions: [first], data: { n: 1 }, current: false });
  expect((await call.get(`${record('a')}/versions/2`).expect(200)).body.current).toBe(true);
});

test('304 until it becomes current again', async () => {
  const { commit, record } = await newCollection(call);
  await commit('a', { n: 1 });
  await commit('a', { n: 2 });
  const { headers } = await call.get(`${record('a')}/versions/1`).expect(200);
  await call
    .get(`${record('a')}/versions/1`)
    .set('If-None-Match', headers.etag ?? '')
    .expect(304);
  await call
    .post(`${record('a')}/rollback`)
    .send({ toVersion: 1 })
    .expect(200);
  await call
    .get(`${record('a')}/versions/1`)
    .set('If-None-Match', headers.etag ?? '')
    .expect(200);
});

test('404 for a version that is not committed, and for any other number', async () => {
  const { commit, stage, record } = await newCollection(call);
  await commit('a', { n: 1 });
  await stage('a', { n: 2 });
  for (const version of ['2', '2147483647']) {
    expect((await call.get(`${record('a')}/versions/${version}`).expect(404)).body.code).toBe(
      'version-not-found',
    );
  }
  await call.get(`${record('a')}/versions/2147483648`).expect(400);
  expect((await call.get(`${record('b')}/versions/1`).expect(404)).body.code).toBe('record-not-found');
});

test('200 for an archived version: its data is what it was', async () => {
  const { commit, record, retain } = await newCollection(call, archiving);
  const data = { text: 'ä𝄞'.repeat(1_000), n: 1.5e-7, list: [null, {}] };
  await commit('a', data);
  const before = await call.get(`${record('a')}/versions/1`).expect(200);
  await commit('a', { n: 2 });
  await retain();
  const { body, headers } = await call.get(`${record('a')}/versions/1`).expect(200);
  expect(body).toEqual({ ...before.body, current: false, archived: true });
  expect(headers.etag).not.toBe(before.headers.etag);
});

test('410 for a version whose data is deleted', async () => {
  const { commit, record, retain } = await newCollection(call, deleting);
  await commit('a', { n: 1 });
  await commit('a', { n: 2 });
  await retain();
  expect((await call.get(`${record('a')}/versions/1`).expect(410)).body.code).toBe('version-expired');
  await call.get(`${record('a')}/versions/2`).expect(200);
});
