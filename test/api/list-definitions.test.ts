import type { Response } from 'supertest';
import { beforeAll, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

const replace = (path: string, definition: object) =>
  call.put(path).set('If-Match', '*').send(definition).expect(200);

test('200 lists every definition that there has been, newest first', async () => {
  const { name, path } = await newCollection(call, { title: 'first' });
  const { body: second } = await replace(path, { title: 'second' });
  const { body, headers } = await call.get(`${path}/definitions`).expect(200);
  expect(body).toEqual({
    items: [
      {
        collection: name,
        number: 2,
        revision: second.revision,
        definition: { title: 'second' },
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
        committedAt: second.updatedAt,
        committedBy: 'anonymous',
        current: true,
      },
      expect.objectContaining({ number: 1, definition: { title: 'first' }, current: false }),
    ],
    next: null,
    revision: second.revision,
  });
  expect(headers['diptych-revision']).toBe(String(second.revision));
});

test('200 in pages that leave nothing out, whatever comes into force meanwhile', async () => {
  const { path } = await newCollection(call, { title: '1' });
  for (const title of ['2', '3', '4', '5']) await replace(path, { title });
  const seen: number[] = [];
  let url: string | null = `${path}/definitions?limit=2`;
  while (url !== null) {
    const { body }: Response = await call.get(url).expect(200);
    for (const { number } of body.items) seen.push(number);
    url = body.next === null ? null : `${path}/definitions?limit=2&cursor=${body.next}`;
    await replace(path, { title: `more ${seen.length}` });
  }
  expect(seen).toEqual([5, 4, 3, 2, 1]);
});

test('numbers go on when a collection is deleted and created again', async () => {
  const { path } = await newCollection(call, { title: 'before' });
  await call.delete(path).expect(204);
  expect((await call.get(`${path}/definitions`).expect(404)).body.code).toBe('collection-not-found');
  await call.put(path).send({ title: 'after' }).expect(201);
  const { body } = await call.get(`${path}/definitions`).expect(200);
  expect(body.items).toMatchObject([
    { number: 2, definition: { title: 'after' }, current: true },
    { number: 1, definition: { title: 'before' }, current: false },
  ]);
});

test('304 for the same answer', async () => {
  const { path } = await newCollection(call);
  const { headers } = await call.get(`${path}/definitions`).expect(200);
  await call
    .get(`${path}/definitions`)
    .set('If-None-Match', headers.etag ?? '')
    .expect(304);
});

test('503 when it shall reflect a revision that does not come', async () => {
  const { path } = await newCollection(call);
  const { body } = await call.get(`${path}/definitions`).set('Diptych-Min-Revision', '1000000').expect(503);
  expect(body.code).toBe('revision-not-reached');
});

test('404 for a collection that is not there', async () => {
  const { body } = await call.get('/v1/collections/nowhere/definitions').expect(404);
  expect(body.code).toBe('collection-not-found');
});

test('400 for a cursor of another list', async () => {
  const collection = await newCollection(call);
  for (const n of [1, 2]) await collection.commit('a', { n });
  const { body: versions } = await call.get(`${collection.record('a')}/versions?limit=1`).expect(200);
  const { body } = await call.get(`${collection.path}/definitions?cursor=${versions.next}`).expect(400);
  expect(body.code).toBe('cursor-invalid');
});
