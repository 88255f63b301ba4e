import { expect, test } from 'vitest';
import { newChangeset, newCollection, startApi } from '../support/api.js';

const { call } = await startApi();

/** A changeset with one member, and the tag that it has. */
async function oneMember() {
  const things = await newCollection(call);
  const changeset = await newChangeset(call);
  await changeset.stage(things.pending('a'), { data: { n: 1 } });
  const member = `${things.pending('a')}?changeset=${changeset.id}`;
  const tag = async () => (await call.get(changeset.path).expect(200)).headers.etag ?? '';
  return { things, changeset, member, tag };
}

const [staged, derived] = [/^"(s[^~]+)~/, /~(.+)"$/];
const partOf = (part: RegExp, tag: string) => part.exec(tag)?.[1];

test('200 counts what it holds', async () => {
  const { things, changeset } = await oneMember();
  await changeset.stage(things.pending('b'), { data: {} });
  expect((await call.get(changeset.path).expect(200)).body).toMatchObject({
    id: changeset.id,
    state: 'open',
    memberCount: 2,
  });
});

test('200: its tag changes with every edit of any member, and only the part before ~ tells of those', async () => {
  const { things, changeset, member, tag } = await oneMember();
  const tags = [await tag()];
  const edit = async (write: () => PromiseLike<unknown>) => {
    await write();
    tags.push(await tag());
  };
  await edit(() => changeset.stage(things.pending('b'), { data: {} }));
  await edit(() => changeset.stage(things.pending('b'), { data: { n: 1 } }));
  await edit(() =>
    call
      .patch(member)
      .type('application/merge-patch+json')
      .send({ data: { n: 2 } })
      .expect(200),
  );
  await edit(() => call.delete(member).set('If-Match', '*').expect(204));
  expect(new Set(tags.map((each) => partOf(staged, each))).size).toBe(5);
});

test('200: what is only derived changes the part after ~, and a write does not mind it', async () => {
  const { changeset, tag } = await oneMember();
  const before = await tag();
  await call.post(`${changeset.path}/validate`).expect(200);
  const after = await tag();
  expect(partOf(staged, after)).toBe(partOf(staged, before));
  expect(partOf(derived, after)).not.toBe(partOf(derived, before));
  await call.post(`${changeset.path}/commit`).set('If-Match', before).expect(200);
});

test('200: a pending version of the same record outside of it does not concern it', async () => {
  const { things, tag } = await oneMember();
  const before = await tag();
  await things.stage('a', { n: 7 });
  expect(await tag()).toBe(before);
});

test('200: once committed it shows what was approved and validated as it stood', async () => {
  const { changeset } = await oneMember();
  await call.post(`${changeset.path}/validate`).expect(200);
  await call.post(`${changeset.path}/approve`).set({ 'If-Match': '*', 'Diptych-Actor': 'bob' }).expect(200);
  await call.post(`${changeset.path}/commit`).set({ 'If-Match': '*', 'Diptych-Actor': 'ann' }).expect(200);
  expect((await call.get(changeset.path).expect(200)).body).toMatchObject({
    state: 'committed',
    closedBy: 'ann',
    validation: { state: 'valid' },
    approvals: [{ approver: 'bob', valid: true }],
  });
});

test('304 until something of it changes, be it a validation or its state', async () => {
  const { changeset, tag } = await oneMember();
  const unchanged = async (write: () => PromiseLike<unknown>) => {
    const known = await tag();
    await call.get(changeset.path).set('If-None-Match', known).expect(304);
    await write();
    const { status } = await call.get(changeset.path).set('If-None-Match', known);
    return status === 304;
  };
  expect(await unchanged(() => call.post(`${changeset.path}/validate`).expect(200))).toBe(false);
  expect(await unchanged(() => call.post(`${changeset.path}/discard`).set('If-Match', '*').expect(200))).toBe(
    false,
  );
});

test('400 for what is no id', async () => {
  expect((await call.get('/v1/changesets/spring').expect(400)).body.code).toBe('invalid-request');
});

test('404 for a changeset that there is not', async () => {
  const { body } = await call.get('/v1/changesets/00000000-0000-4000-8000-000000000000').expect(404);
  expect(body.code).toBe('changeset-not-found');
});

test('412 for a read that insists on what has changed', async () => {
  const { things, changeset, tag } = await oneMember();
  const known = await tag();
  await call.get(changeset.path).set('If-Match', known).expect(200);
  await changeset.stage(things.pending('a'), { data: { n: 2 } });
  await call.get(changeset.path).set('If-Match', known).expect(412);
});
