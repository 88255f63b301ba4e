import { expect, test } from 'vitest';
import { newChangeset, newCollection, startApi } from '../support/api.js';

const { call } = await startApi();
const keysOf = (body: { items: { key: string }[] }) => body.items.map(({ key }) => key);

async function threeMembers() {
  const things = await newCollection(call);
  const changeset = await newChangeset(call);
  for (const key of ['c', 'a', 'b']) await changeset.stage(things.pending(key), { data: { key } });
  return { things, changeset, url: `${changeset.path}/pending` };
}

test('200 lists what it holds and nothing else, in the order of staging', async () => {
  const { things, changeset, url } = await threeMembers();
  const other = await newChangeset(call);
  await other.stage(things.pending('a'), { data: {} });
  await things.stage('d', {});
  const { body } = await call.get(url).expect(200);
  expect(keysOf(body)).toEqual(['c', 'a', 'b']);
  const member = await call.get(`${things.pending('c')}?changeset=${changeset.id}`).expect(200);
  expect(body.items[0]).toEqual(member.body);
});

test('200 in pages', async () => {
  const { url } = await threeMembers();
  const first = await call.get(`${url}?limit=2`).expect(200);
  expect(first.headers.link).toContain('rel="next"');
  const second = await call.get(`${url}?limit=2&cursor=${first.body.next}`).expect(200);
  expect([keysOf(first.body), keysOf(second.body)]).toEqual([['c', 'a'], ['b']]);
  expect(second.body.next).toBeNull();
});

test('200 says which of them are outdated', async () => {
  const { things, url } = await threeMembers();
  await things.commit('a', { n: 1 });
  const { body } = await call.get(url).expect(200);
  expect(body.items.map(({ outdated }: { outdated: boolean }) => outdated)).toEqual([false, true, false]);
});

test('200 holds nothing any more once it is committed, or discarded', async () => {
  for (const end of ['commit', 'discard']) {
    const { changeset, url } = await threeMembers();
    await call.post(`${changeset.path}/${end}`).set('If-Match', '*').expect(200);
    expect((await call.get(url).expect(200)).body).toMatchObject({ items: [], next: null });
  }
});

test('304 until a member changes', async () => {
  const { things, changeset, url } = await threeMembers();
  const { headers } = await call.get(url).expect(200);
  const again = () => call.get(url).set('If-None-Match', headers.etag ?? '');
  await again().expect(304);
  await changeset.stage(things.pending('a'), { data: { n: 2 } });
  await again().expect(200);
});

test('400 for the cursor of another changeset, and for a parameter that there is not', async () => {
  const [one, two] = [await threeMembers(), await threeMembers()];
  const { body } = await call.get(`${one.url}?limit=1`).expect(200);
  expect((await call.get(`${two.url}?cursor=${body.next}`).expect(400)).body.code).toBe('cursor-invalid');
  expect((await call.get(`${one.url}?outdated=true`).expect(400)).body.errors).toMatchObject([
    { pointer: '/outdated', in: 'query' },
  ]);
});

test('404 for a changeset that there is not', async () => {
  const { body } = await call.get('/v1/changesets/00000000-0000-4000-8000-000000000000/pending').expect(404);
  expect(body.code).toBe('changeset-not-found');
});
