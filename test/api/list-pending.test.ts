import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

const keysOf = (body: { items: { key: string }[] }) => body.items.map(({ key }) => key);

test('200 lists what waits, by collection and by whether it is outdated', async () => {
  const { stage, commit, name } = await newCollection(call);
  await commit('b', { n: 1 });
  await stage('a', {});
  await stage('b', { n: 2 });
  await commit('b', { n: 3 });
  const all = await call.get(`/v1/pending?collection=${name}`).expect(200);
  expect(keysOf(all.body).sort()).toEqual(['a', 'b']);
  expect(keysOf((await call.get(`/v1/pending?collection=${name}&outdated=true`).expect(200)).body)).toEqual([
    'b',
  ]);
  expect(keysOf((await call.get(`/v1/pending?collection=${name}&outdated=false`).expect(200)).body)).toEqual([
    'a',
  ]);
});

test('200 in pages', async () => {
  const { stage, name } = await newCollection(call);
  for (const key of ['a', 'b', 'c']) {
    await stage(key, {});
  }
  const first = await call.get(`/v1/pending?collection=${name}&limit=2`).expect(200);
  const second = await call
    .get(`/v1/pending?collection=${name}&limit=2&cursor=${first.body.next}`)
    .expect(200);
  expect([...keysOf(first.body), ...keysOf(second.body)]).toEqual(['a', 'b', 'c']);
  expect(second.body.next).toBeNull();
});

test('200 with a new tag when only a pending version changed', async () => {
  const { stage, name } = await newCollection(call);
  await stage('a', { n: 1 });
  const url = `/v1/pending?collection=${name}`;
  const { headers } = await call.get(url).expect(200);
  await call
    .get(url)
    .set('If-None-Match', headers.etag ?? '')
    .expect(304);
  await stage('a', { n: 2 });
  await call
    .get(url)
    .set('If-None-Match', headers.etag ?? '')
    .expect(200);
});

test('400 for a cursor of another list', async () => {
  await newCollection(call);
  await newCollection(call);
  const { body } = await call.get('/v1/commits?limit=1').expect(200);
  expect((await call.get(`/v1/pending?cursor=${body.next}`).expect(400)).body.code).toBe('cursor-invalid');
});

test('an unknown changeset holds nothing', async () => {
  const { status, body } = await call.get(`/v1/pending?changeset=${randomUUID()}`);
  expect(status === 404 || body.items.length === 0).toBe(true);
});
