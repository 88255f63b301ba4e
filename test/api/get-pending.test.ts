import { beforeAll, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

test('200 is what was staged', async () => {
  const { pending } = await newCollection(call);
  const staged = await call
    .put(pending('a'))
    .send({ data: { n: 1 } })
    .expect(201);
  const { body, headers } = await call.get(pending('a')).expect(200);
  expect(body).toEqual(staged.body);
  expect(headers.etag).toBe(staged.headers.etag);
});

test('200 says that the record moved since', async () => {
  const { pending, commit, stage } = await newCollection(call);
  await commit('a', { n: 1 });
  await stage('a', { n: 2 });
  const before = await call.get(pending('a')).expect(200);
  await commit('a', { n: 3 });
  const { body } = await call
    .get(pending('a'))
    .set('If-None-Match', before.headers.etag ?? '')
    .expect(200);
  expect(body).toMatchObject({ baseVersion: 1, currentVersion: 2, outdated: true });
});

test('304 until it, or what is derived from it, changes', async () => {
  const { pending, stage } = await newCollection(call);
  const { headers } = await stage('a', {});
  const known = headers.etag ?? '';
  await call.get(pending('a')).set('If-None-Match', known).expect(304);
  await call.post(`${pending('a')}/validate`).expect(200);
  const { body } = await call.get(pending('a')).set('If-None-Match', known).expect(200);
  expect(body.validation).toMatchObject({ state: 'valid', errorCount: 0 });
});

test('404 when nothing is staged', async () => {
  const { pending } = await newCollection(call);
  expect((await call.get(pending('a')).expect(404)).body.code).toBe('pending-not-found');
  expect((await call.get('/v1/collections/missing/records/a/pending').expect(404)).body.code).toBe(
    'collection-not-found',
  );
});
