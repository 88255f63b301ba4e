import { beforeAll, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

test('200 is what was put in force then, and what the commit log tells of it', async () => {
  const { path } = await newCollection(call, { title: 'first' });
  await call.put(path).set('If-Match', '*').send({ title: 'second' }).expect(200);
  const { body: first } = await call.get(`${path}/definitions/1`).expect(200);
  expect(first).toMatchObject({ number: 1, definition: { title: 'first' }, current: false });
  const { body: commit } = await call.get(`/v1/commits/${first.revision}`).expect(200);
  expect(commit).toMatchObject({
    kind: 'definition',
    committedAt: first.committedAt,
    author: first.committedBy,
    definition: { number: 1, digest: first.digest },
  });
  const { body: second } = await call.get(`${path}/definitions/2`).expect(200);
  expect(second).toMatchObject({ number: 2, definition: { title: 'second' }, current: true });
});

test('304 until it is no longer in force', async () => {
  const { path } = await newCollection(call, { title: 'first' });
  const { headers } = await call.get(`${path}/definitions/1`).expect(200);
  const again = () => call.get(`${path}/definitions/1`).set('If-None-Match', headers.etag ?? '');
  await again().expect(304);
  await call.put(path).set('If-Match', '*').send({ title: 'second' }).expect(200);
  await again().expect(200);
});

test('404 for a number that there has not been, and for a collection that is not there', async () => {
  const { path } = await newCollection(call);
  for (const number of ['2', '2147483647']) {
    const { body } = await call.get(`${path}/definitions/${number}`).expect(404);
    expect(body).toMatchObject({ code: 'definition-not-found', newest: 1 });
  }
  const { body } = await call.get('/v1/collections/nowhere/definitions/1').expect(404);
  expect(body.code).toBe('collection-not-found');
});

test.each(['0', '-1', '1.5', 'first', '2147483648'])('400 for the number %s', async (number) => {
  const { path } = await newCollection(call);
  await call.get(`${path}/definitions/${number}`).expect(400);
});
