import { beforeAll, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

test('200 compares with the current version', async () => {
  const { pending, commit, stage } = await newCollection(call);
  await commit('a', { price: 1, old: true });
  await stage('a', { price: 2, new: null });
  const { body } = await call.get(`${pending('a')}/diff`).expect(200);
  expect(body).toMatchObject({ from: 1, to: 'pending' });
  expect(body.changes).toEqual(
    expect.arrayContaining([
      { pointer: '/price', before: 1, after: 2 },
      { pointer: '/old', before: true },
      { pointer: '/new', after: null },
    ]),
  );
});

test('200 compares a new record with nothing, and a deletion with what goes', async () => {
  const { pending, commit, stage } = await newCollection(call);
  await stage('new', { n: 1 });
  expect((await call.get(`${pending('new')}/diff`).expect(200)).body).toMatchObject({
    from: null,
    to: 'pending',
  });
  await commit('gone', { n: 1 });
  await call.put(pending('gone')).send({ operation: 'delete' }).expect(201);
  expect((await call.get(`${pending('gone')}/diff`).expect(200)).body).toMatchObject({ from: 1, to: null });
});

test('304 when nothing changed', async () => {
  const { pending, stage } = await newCollection(call);
  await stage('a', {});
  const { headers } = await call.get(`${pending('a')}/diff`).expect(200);
  await call
    .get(`${pending('a')}/diff`)
    .set('If-None-Match', headers.etag ?? '')
    .expect(304);
});

test('404 when nothing is staged', async () => {
  const { pending } = await newCollection(call);
  expect((await call.get(`${pending('a')}/diff`).expect(404)).body.code).toBe('pending-not-found');
});
