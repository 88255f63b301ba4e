import { expect, test } from 'vitest';
import { newChangeset, startApi } from '../support/api.js';

const url = '/v1/changesets';
const titlesOf = (body: { items: { title: string }[] }) => body.items.map(({ title }) => title);

/** A service of its own with a changeset in each state, from the oldest: committed, discarded, scheduled, open. */
async function oneOfEach() {
  const { call } = await startApi();
  const committed = await newChangeset(call, 'committed');
  await call.post(`${committed.path}/commit`).set('If-Match', '*').expect(200);
  const discarded = await newChangeset(call, 'discarded');
  await call.post(`${discarded.path}/discard`).set('If-Match', '*').expect(200);
  const scheduled = await newChangeset(call, 'scheduled');
  await call
    .post(`${scheduled.path}/schedule`)
    .set('If-Match', '*')
    .send({ commitAt: '2999-01-01T00:00:00.000Z' })
    .expect(200);
  const open = await newChangeset(call, 'open');
  return { call, open };
}

const { call, open } = await oneOfEach();

test('200 lists all of them, the newest first', async () => {
  const { body } = await call.get(url).expect(200);
  expect(titlesOf(body)).toEqual(['open', 'scheduled', 'discarded', 'committed']);
  expect(body.next).toBeNull();
});

test.each(['open', 'scheduled', 'discarded', 'committed'])('200 lists those that are %s', async (state) => {
  const { body } = await call.get(`${url}?state=${state}`).expect(200);
  expect(titlesOf(body)).toEqual([state]);
  expect(body.items[0].state).toBe(state);
});

test('200 shows each as it is when it is read alone', async () => {
  const { body } = await call.get(`${url}?limit=1`).expect(200);
  expect(body.items).toEqual([(await call.get(open.path).expect(200)).body]);
});

test('200 in pages, which a new changeset does not shift', async () => {
  const first = await call.get(`${url}?limit=3`).expect(200);
  expect(first.headers.link).toContain('rel="next"');
  const late = await newChangeset(call, 'late');
  const second = await call.get(`${url}?limit=3&cursor=${first.body.next}`).expect(200);
  expect([...titlesOf(first.body), ...titlesOf(second.body)]).toEqual([
    'open',
    'scheduled',
    'discarded',
    'committed',
  ]);
  expect(second.body.next).toBeNull();
  await call.post(`${late.path}/discard`).set('If-Match', '*').expect(200);
});

test('304 until one of them changes', async () => {
  const { headers } = await call.get(`${url}?state=open`).expect(200);
  const again = () => call.get(`${url}?state=open`).set('If-None-Match', headers.etag ?? '');
  await again().expect(304);
  await call.post(`${open.path}/validate`).expect(200);
  await again().expect(200);
});

test('400 for a state that there is not, and for a limit out of bounds', async () => {
  const { body } = await call.get(`${url}?state=draft&limit=0`).expect(400);
  expect(body.errors.map((failure: { pointer: string }) => failure.pointer).sort()).toEqual([
    '/limit',
    '/state',
  ]);
});

test('400 for a cursor of another query or of another list', async () => {
  const { body } = await call.get(`${url}?limit=1`).expect(200);
  const refused = await call.get(`${url}?state=open&cursor=${body.next}`).expect(400);
  expect(refused.body.code).toBe('cursor-invalid');
  expect((await call.get(`/v1/pending?cursor=${body.next}`).expect(400)).body.code).toBe('cursor-invalid');
  expect((await call.get(`${url}?cursor=nonsense`).expect(400)).body.code).toBe('cursor-invalid');
});
