import { expect, test } from 'vitest';
import { newChangeset, newCollection, startApi } from '../support/api.js';

const { call } = await startApi();
const unschedule = (path: string) => call.post(`${path}/unschedule`);

async function scheduled() {
  const things = await newCollection(call);
  const changeset = await newChangeset(call);
  await changeset.stage(things.pending('a'), { data: { n: 1 } });
  await call
    .post(`${changeset.path}/schedule`)
    .set('If-Match', '*')
    .send({ commitAt: '2999-01-01T00:00:00.000Z' })
    .expect(200);
  return { things, changeset };
}

test('200 is open again, takes edits, and can be committed by hand', async () => {
  const { things, changeset } = await scheduled();
  const { body } = await unschedule(changeset.path).expect(200);
  expect(body).toMatchObject({ state: 'open', schedule: null, refusal: null });
  await changeset.stage(things.pending('a'), { data: { n: 2 } });
  await call.post(`${changeset.path}/commit`).set('If-Match', '*').expect(200);
});

test('200: that was no edit: what was seen and approved still holds', async () => {
  const { changeset } = await scheduled();
  const seen = await call.get(changeset.path).expect(200);
  await call.post(`${changeset.path}/approve`).set({ 'If-Match': '*', 'Diptych-Actor': 'bob' }).expect(200);
  const { body } = await unschedule(changeset.path).expect(200);
  expect(body.approvals).toMatchObject([{ approver: 'bob', valid: true }]);
  await call
    .post(`${changeset.path}/commit`)
    .set('If-Match', seen.headers.etag ?? '')
    .expect(200);
});

test('200: an open one stays as it is', async () => {
  const changeset = await newChangeset(call);
  const { headers } = await call.get(changeset.path).expect(200);
  expect((await unschedule(changeset.path).expect(200)).headers.etag).toBe(headers.etag);
});

test('400 for what is no id', async () => {
  expect((await unschedule('/v1/changesets/spring').expect(400)).body.code).toBe('invalid-request');
});

test('404 for a changeset that there is not', async () => {
  const { body } = await unschedule('/v1/changesets/00000000-0000-4000-8000-000000000000').expect(404);
  expect(body.code).toBe('changeset-not-found');
});

test.each(['commit', 'discard'])('409 changeset-closed after %s', async (end) => {
  const changeset = await newChangeset(call);
  await call.post(`${changeset.path}/${end}`).set('If-Match', '*').expect(200);
  expect((await unschedule(changeset.path).expect(409)).body.code).toBe('changeset-closed');
});
