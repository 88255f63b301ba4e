import { beforeAll, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

interface Entry {
  revision: number;
  hash: string;
  previousHash: string;
}

test('200 pages the whole log, newest first, without a gap, as a chain', async () => {
  const { commit } = await newCollection(call);
  for (const n of [1, 2, 3]) {
    await commit('a', { n });
  }
  const entries: Entry[] = [];
  let url = '/v1/commits?limit=2';
  while (url !== '') {
    const { body, headers } = await call.get(url).expect(200);
    entries.push(...body.items);
    [, url = ''] = /^<([^>]+)>; rel="next"$/.exec(headers.link ?? '') ?? [];
  }
  expect(entries.map(({ revision }) => revision)).toEqual(entries.map((_, index) => entries.length - index));
  for (const [index, { previousHash }] of entries.slice(0, -1).entries()) {
    expect(previousHash).toBe(entries[index + 1]?.hash);
  }
});

test('200 with a key that was never used has no outcome', async () => {
  const { body } = await call.get('/v1/commits?idempotencyKey=never').expect(200);
  expect(body).toMatchObject({ items: [], next: null, outcome: null });
});

test('200 with a key finds the commit of the caller who used it, by whatever name that was', async () => {
  const { name } = await newCollection(call);
  const key = `lost-answer-${name}`;
  const { body: committed } = await call
    .post('/v1/commits')
    .set('Diptych-Actor', 'grace')
    .set('Idempotency-Key', key)
    .send({ changes: [{ collection: name, key: 'a', operation: 'put', data: { n: 1 } }] })
    .expect(200);
  const url = `/v1/commits?idempotencyKey=${key}`;
  const { body: found } = await call.get(url).set('Diptych-Actor', 'grace').expect(200);
  expect(found).toMatchObject({
    items: [{ revision: committed.revision }],
    outcome: { status: 200, revision: committed.revision },
  });
  const { body: others } = await call.get(url).set('Diptych-Actor', 'alan').expect(200);
  expect(others).toMatchObject({ items: [], outcome: null });
});

test('304 until something is committed', async () => {
  const { headers } = await call.get('/v1/commits').expect(200);
  await call
    .get('/v1/commits')
    .set('If-None-Match', headers.etag ?? '')
    .expect(304);
});

test('400 for a cursor that is none', async () => {
  expect((await call.get('/v1/commits?cursor=x').expect(400)).body.code).toBe('cursor-invalid');
});
