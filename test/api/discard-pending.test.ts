import { beforeAll, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

test('204 discards what is staged, and readers see no difference', async () => {
  const { pending, commit, stage, record } = await newCollection(call);
  const head = await commit('a', { n: 1 });
  const { headers } = await stage('a', { n: 2 });
  const answer = await call
    .delete(pending('a'))
    .set('If-Match', headers.etag ?? '')
    .expect(204);
  expect(answer.headers['diptych-revision']).toBe(String(head));
  await call.get(pending('a')).expect(404);
  expect((await call.get(record('a')).expect(200)).body.data).toEqual({ n: 1 });
});

test('428 with the tag when the caller does not say what it saw', async () => {
  const { pending, stage } = await newCollection(call);
  const { headers } = await stage('a', {});
  expect((await call.delete(pending('a')).expect(428)).body.etag).toBe(headers.etag);
});

test('412 when it is another by now', async () => {
  const { pending, stage } = await newCollection(call);
  const { headers } = await stage('a', { n: 1 });
  await stage('a', { n: 2 });
  await call
    .delete(pending('a'))
    .set('If-Match', headers.etag ?? '')
    .expect(412);
});

test('404 when nothing is staged', async () => {
  const { pending, commit } = await newCollection(call);
  await commit('a', {});
  expect((await call.delete(pending('a')).set('If-Match', '*').expect(404)).body.code).toBe(
    'pending-not-found',
  );
});
