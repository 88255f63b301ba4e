import { beforeAll, expect, test } from 'vitest';
import { type Api, newChangeset, newCollection, startApi } from '../support/api.js';

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

test('200 with the definitions that its changes were judged by, whatever the way to the commit', async () => {
  const [first, second] = [await newCollection(call), await newCollection(call)];
  await call.put(second.path).set('If-Match', '*').send({ title: 'New' }).expect(200);
  const change = (collection: string, key: string) => ({ collection, key, operation: 'put', data: {} });
  const { body: direct } = await call
    .post('/v1/commits')
    .send({ changes: [change(second.name, 'a'), change(first.name, 'a'), change(first.name, 'b')] })
    .expect(200);
  const both = [
    { collection: first.name, number: 1 },
    { collection: second.name, number: 2 },
  ];
  const judgedBy = async (revision: number) =>
    (await call.get(`/v1/commits/${revision}`).expect(200)).body.definitions;
  expect(await judgedBy(direct.revision)).toEqual(both);

  await call.put(first.path).set('If-Match', '*').send({ title: 'New' }).expect(200);
  const { body: reverted } = await call.post(`/v1/commits/${direct.revision}/revert`).expect(200);
  expect(await judgedBy(reverted.revision)).toEqual([{ collection: first.name, number: 2 }, both[1]]);
  expect(await judgedBy(direct.revision)).toEqual(both);

  const changeset = await newChangeset(call);
  await changeset.stage(second.pending('b'), { data: {} });
  const { body: released } = await call.post(`${changeset.path}/commit`).set('If-Match', '*').expect(200);
  expect(await judgedBy(released.revision)).toEqual([both[1]]);

  const { body: defined } = await call.get(first.path).expect(200);
  expect(await judgedBy(defined.revision)).toEqual([]);
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
