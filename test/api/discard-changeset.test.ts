import { expect, test } from 'vitest';
import { newChangeset, newCollection, startApi } from '../support/api.js';

const { call, db } = await startApi();
const nowhere = '/v1/changesets/00000000-0000-4000-8000-000000000000';

const keysIn = async (collection: string) =>
  (
    await db.query<{ key: string }>(
      `SELECT key FROM record JOIN collection ON collection.id = collection_id WHERE name = $1 ORDER BY key`,
      [collection],
    )
  ).map(({ key }) => key);

test('200: nothing is left of it, and readers see no difference', async () => {
  const things = await newCollection(call);
  const revision = await things.commit('live', { n: 1 });
  const changeset = await newChangeset(call);
  await changeset.stage(things.pending('live'), { data: { n: 2 } });
  await changeset.stage(things.pending('new'), { data: {} });
  const { body, headers } = await call
    .post(`${changeset.path}/discard`)
    .set({ 'If-Match': '*', 'Diptych-Actor': 'ann' })
    .expect(200);
  expect(body).toMatchObject({ state: 'discarded', closedBy: 'ann', memberCount: 0, revision: null });
  expect(headers['diptych-revision']).toBe(String(revision));
  expect((await call.get(things.record('live')).expect(200)).body.data).toEqual({ n: 1 });
  await call.get(`${things.pending('live')}?changeset=${changeset.id}`).expect(404);
  expect((await call.get(changeset.path).expect(200)).body).toEqual(body);
});

test('200: a record that only was prepared vanishes, one that is pending elsewhere stays', async () => {
  const things = await newCollection(call);
  const [changeset, other] = [await newChangeset(call), await newChangeset(call)];
  for (const key of ['only', 'shared', 'alone'])
    await changeset.stage(things.pending(key), { data: { key } });
  await other.stage(things.pending('shared'), { data: { mine: true } });
  await things.stage('alone', { mine: true });
  await call.post(`${changeset.path}/discard`).set('If-Match', '*').expect(200);
  expect(await keysIn(things.name)).toEqual(['alone', 'shared']);
  const kept = await call.get(`${things.pending('shared')}?changeset=${other.id}`).expect(200);
  expect(kept.body.data).toEqual({ mine: true });
  expect((await call.get(things.pending('alone')).expect(200)).body.data).toEqual({ mine: true });
});

test('200 with the tag that was read', async () => {
  const changeset = await newChangeset(call);
  const { headers } = await call.get(changeset.path).expect(200);
  await call
    .post(`${changeset.path}/discard`)
    .set('If-Match', headers.etag ?? '')
    .expect(200);
});

test('404 for a changeset that there is not', async () => {
  const { body } = await call.post(`${nowhere}/discard`).set('If-Match', '*').expect(404);
  expect(body.code).toBe('changeset-not-found');
});

test.each(['commit', 'discard'])('409 changeset-closed after %s', async (end) => {
  const changeset = await newChangeset(call);
  await call.post(`${changeset.path}/${end}`).set('If-Match', '*').expect(200);
  const { body } = await call.post(`${changeset.path}/discard`).set('If-Match', '*').expect(409);
  expect(body).toMatchObject({
    code: 'changeset-closed',
    state: end === 'commit' ? 'committed' : 'discarded',
  });
});

test('409 changeset-closed: it takes no more edits', async () => {
  const things = await newCollection(call);
  const changeset = await newChangeset(call);
  await call.post(`${changeset.path}/discard`).set('If-Match', '*').expect(200);
  const { body } = await call
    .put(`${things.pending('a')}?changeset=${changeset.id}`)
    .send({ data: {} })
    .expect(409);
  expect(body.code).toBe('changeset-closed');
});

test('412: it was edited since it was read, and nothing is lost', async () => {
  const things = await newCollection(call);
  const changeset = await newChangeset(call);
  const { headers } = await call.get(changeset.path).expect(200);
  await changeset.stage(things.pending('a'), { data: {} });
  const { body } = await call
    .post(`${changeset.path}/discard`)
    .set('If-Match', headers.etag ?? '')
    .expect(412);
  expect(body.etag).toMatch(/^"s/);
  await call.get(`${things.pending('a')}?changeset=${changeset.id}`).expect(200);
});

test('428: what is thrown away has been seen', async () => {
  const changeset = await newChangeset(call);
  const { body } = await call.post(`${changeset.path}/discard`).expect(428);
  await call.post(`${changeset.path}/discard`).set('If-Match', body.etag).expect(200);
});
