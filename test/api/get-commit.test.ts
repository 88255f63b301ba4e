import { beforeAll, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

test('200 says who, when, why and what', async () => {
  const { name: collection } = await newCollection(call);
  const changes = [{ collection, key: 'a', operation: 'put', data: {} }];
  const { body: made } = await call
    .post('/v1/commits')
    .set('Diptych-Actor', 'ada')
    .send({ changes, message: 'why' })
    .expect(200);
  const { body } = await call.get(`/v1/commits/${made.revision}`).expect(200);
  expect(body).toMatchObject({
    revision: made.revision,
    kind: 'commit',
    committedAt: made.committedAt,
    author: 'ada',
    message: 'why',
    changeset: null,
    reverts: null,
    forced: false,
    changeCount: 1,
    changes: made.changes,
  });
});

test('200 for a definition', async () => {
  const { name, path } = await newCollection(call);
  const { body: collection } = await call.get(path).expect(200);
  const { body } = await call.get(`/v1/commits/${collection.revision}`).expect(200);
  expect(body).toMatchObject({
    kind: 'definition',
    definition: { collection: name, number: 1 },
    changeCount: 0,
  });
});

test('304 for ever', async () => {
  const { commit } = await newCollection(call);
  const revision = await commit('a', { n: 1 });
  const { headers } = await call.get(`/v1/commits/${revision}`).expect(200);
  await commit('a', { n: 2 });
  await call
    .get(`/v1/commits/${revision}`)
    .set('If-None-Match', headers.etag ?? '')
    .expect(304);
});

test('404 for a revision that is not there', async () => {
  for (const revision of ['999999', '9007199254740991']) {
    expect((await call.get(`/v1/commits/${revision}`).expect(404)).body.code).toBe('commit-not-found');
  }
});
