import { beforeAll, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

test('200 pages every change, beyond the thousand that the commit itself shows', async () => {
  const { name: collection } = await newCollection(call);
  const keys = Array.from({ length: 1003 }, (_, index) => String(index).padStart(5, '0'));
  const changes = keys.map((key) => ({ collection, key, operation: 'put', data: {} }));
  const { body: made } = await call.post('/v1/commits').send({ changes }).expect(200);
  expect([made.changeCount, made.changes.length]).toEqual([1003, 1000]);
  const url = `/v1/commits/${made.revision}/changes?limit=600`;
  const first = await call.get(url).expect(200);
  const second = await call.get(`${url}&cursor=${first.body.next}`).expect(200);
  const seen = [first, second].flatMap(({ body }) => body.items.map((item: { key: string }) => item.key));
  expect(seen.sort()).toEqual(keys);
  expect(second.body.next).toBeNull();
});

test('404 for a revision that is not there', async () => {
  expect((await call.get('/v1/commits/999999/changes').expect(404)).body.code).toBe('commit-not-found');
});

test('400 for a cursor of another commit', async () => {
  const { name: collection, commit } = await newCollection(call);
  const other = await commit('a', {});
  const changes = ['b', 'c'].map((key) => ({ collection, key, operation: 'put', data: {} }));
  const { body: made } = await call.post('/v1/commits').send({ changes }).expect(200);
  const { body } = await call.get(`/v1/commits/${made.revision}/changes?limit=1`).expect(200);
  const refused = await call.get(`/v1/commits/${other}/changes?cursor=${body.next}`).expect(400);
  expect(refused.body.code).toBe('cursor-invalid');
});
