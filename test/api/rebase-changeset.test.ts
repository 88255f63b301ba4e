import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, newChangeset, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi({ maxRecordBytes: 2000 }));
});

type Data = Record<string, unknown>;

/** A changeset with members, by key, that were staged by Ada on another version than is current now. */
async function outdatedChangeset(members: Record<string, [base: Data, current: Data, pending: Data]>) {
  const items = await newCollection(call);
  const changeset = await newChangeset(call);
  for (const [key, [base, , pending]] of Object.entries(members)) {
    await items.commit(key, base);
    await changeset.stage(items.pending(key), { data: pending }, 'ada');
  }
  for (const [key, [, current]] of Object.entries(members)) await items.commit(key, current);
  const rebase = (resolutions: object[] = []) =>
    call.post(`${changeset.path}/rebase`).set('Diptych-Actor', 'bob').send({ resolutions });
  const dataOf = async () => {
    const { body } = await call.get(`${changeset.path}/pending`).expect(200);
    return Object.fromEntries(body.items.map(({ key, data }: { key: string; data: Data }) => [key, data]));
  };
  return { ...items, changeset, rebase, dataOf };
}

const merged: [Data, Data, Data] = [
  { a: 1, b: 1 },
  { a: 2, b: 1 },
  { a: 1, b: 2 },
];
const clashing: [Data, Data, Data] = [{ n: 1 }, { n: 2 }, { n: 3 }];

describe('200', () => {
  test('lays every outdated member on what is current, and it can be committed', async () => {
    const { rebase, dataOf, changeset, pending, record } = await outdatedChangeset({ x: merged, y: merged });
    await changeset.stage(pending('new'), { data: { a: 0 } });
    const before = (await call.get(changeset.path)).headers.etag ?? '';
    await call.post(`${changeset.path}/commit`).set('If-Match', before).expect(409);
    const { body, headers } = await rebase().set('If-Match', before).expect(200);
    expect(body).toMatchObject({ rebased: 2, resolved: 0, changeset: { id: changeset.id, memberCount: 3 } });
    expect(await dataOf()).toEqual({ x: { a: 2, b: 2 }, y: { a: 2, b: 2 }, new: { a: 0 } });
    expect(headers.etag).toBe((await call.get(changeset.path)).headers.etag);
    await call.post(`${changeset.path}/commit`).set('If-Match', before).expect(412);
    await call
      .post(`${changeset.path}/commit`)
      .set('If-Match', headers.etag ?? '')
      .expect(200);
    expect((await call.get(record('y'))).body.data).toEqual({ a: 2, b: 2 });
  });

  test('with resolutions, each for its member', async () => {
    const { rebase, dataOf, name, pending, changeset } = await outdatedChangeset({
      x: clashing,
      y: clashing,
      z: merged,
    });
    const { body } = await rebase([
      { collection: name, key: 'x', resolutions: { '/n': 'current' } },
      { collection: name, key: 'y', resolutions: { '/n': { value: 9 } } },
    ]).expect(200);
    expect(body).toMatchObject({ rebased: 3, resolved: 2 });
    expect(await dataOf()).toEqual({ x: { n: 2 }, y: { n: 9 }, z: { a: 2, b: 2 } });
    const member = await call.get(`${pending('y')}?changeset=${changeset.id}`).expect(200);
    expect(member.body).toMatchObject({
      stagedBy: ['ada', 'bob'],
      resolutions: [{ pointer: '/n', resolution: { value: 9 }, by: 'bob' }],
    });
    const other = await call.get(`${pending('z')}?changeset=${changeset.id}`).expect(200);
    expect(other.body).toMatchObject({ stagedBy: ['ada'], resolutions: [] });
  });

  test('without outdated members nothing is written, so it may be sent again', async () => {
    const { rebase, changeset, name } = await outdatedChangeset({ x: clashing });
    const resolutions = [{ collection: name, key: 'x', resolutions: { '/n': 'pending' } }];
    const first = await rebase(resolutions).expect(200);
    const second = await rebase(resolutions).expect(200);
    expect(second.body).toMatchObject({ rebased: 0, resolved: 0 });
    expect(second.headers.etag).toBe(first.headers.etag);
    await call.post(`${changeset.path}/rebase`).expect(200);
  });
});

describe('409', () => {
  test('lists the conflicts of all members with collection and key, and writes nothing', async () => {
    const { rebase, dataOf, name, changeset } = await outdatedChangeset({
      x: merged,
      y: clashing,
      z: clashing,
    });
    const before = await dataOf();
    const { etag } = (await call.get(changeset.path)).headers;
    const { body, headers } = await rebase([
      { collection: name, key: 'y', resolutions: { '/n': 'current' } },
    ]).expect(409);
    expect(body).toMatchObject({ code: 'rebase-conflict', conflictCount: 1, etag });
    expect(body.conflicts).toEqual([
      { collection: name, key: 'z', pointer: '/n', base: 1, current: 2, pending: 3 },
    ]);
    expect(headers.etag).toBe(etag);
    expect(await dataOf()).toEqual(before);
    expect((await call.get(changeset.path)).headers.etag).toBe(etag);
  });

  test('when it is closed', async () => {
    const { rebase, changeset } = await outdatedChangeset({ x: merged });
    await call.post(`${changeset.path}/discard`).set('If-Match', '*').expect(200);
    expect((await rebase().expect(409)).body.code).toBe('changeset-closed');
  });
});

describe('other refusals', () => {
  const placesOf = ({ errors }: { errors: { pointer: string; code: string }[] }) =>
    errors.map(({ pointer, code }) => `${code} ${pointer}`);

  test('400 for every resolution that is in no conflict, before conflicts are told', async () => {
    const { rebase, name } = await outdatedChangeset({ x: clashing, y: clashing, z: merged });
    const { body } = await rebase([
      { collection: name, key: 'other', resolutions: {} },
      { collection: name, key: 'y', resolutions: { '/n': 'pending', '/m': 'pending' } },
      { collection: 'missing', key: 'x', resolutions: {} },
    ]).expect(400);
    expect(placesOf(body)).toEqual([
      'no-conflict /resolutions/1/resolutions/~1m',
      'no-conflict /resolutions/0',
      'no-conflict /resolutions/2',
    ]);
  });

  test('400 for what is not of the form, and for a member that is named twice', async () => {
    const { rebase, name } = await outdatedChangeset({ x: clashing });
    const entry = { collection: name, key: 'x', resolutions: {} };
    expect(placesOf((await rebase([entry, entry]).expect(400)).body)).toEqual(['duplicate /resolutions/1']);
    const { body } = await rebase([
      { ...entry, resolutions: { n: 'mine' } },
      { key: '', more: 1 },
    ]).expect(400);
    expect(placesOf(body)).toEqual([
      'format /resolutions/0/resolutions/n',
      'required /resolutions/1/collection',
      'format /resolutions/1/key',
      'format /resolutions/1/resolutions',
      'unknown-member /resolutions/1/more',
    ]);
  });

  test('404 without the changeset', async () => {
    const { body } = await call.post(`/v1/changesets/${randomUUID()}/rebase`).expect(404);
    expect(body.code).toBe('changeset-not-found');
  });

  test('412 when it is not what the caller saw', async () => {
    const { rebase, changeset, pending } = await outdatedChangeset({ x: merged });
    const { etag } = (await call.get(changeset.path)).headers;
    await changeset.stage(pending('y'), { data: {} });
    await rebase()
      .set('If-Match', etag ?? '')
      .expect(412);
  });

  test('413 and 422 name the member', async () => {
    const text = 'x'.repeat(1200);
    const large = await outdatedChangeset({ x: merged, y: [{}, { a: text }, { b: text }] });
    const { body } = await large.rebase().expect(413);
    expect(body.errors).toMatchObject([{ pointer: '/data', collection: large.name, key: 'y' }]);
    expect((await large.dataOf()).x).toEqual(merged[2]);

    const deep = JSON.parse(`${'['.repeat(63)}${']'.repeat(63)}`);
    const { rebase, name } = await outdatedChangeset({
      x: [{ a: { b: 1 } }, { a: { b: 2 } }, { a: { b: 3 } }],
    });
    const resolutions = { '/a/b': { value: deep } };
    const refused = await rebase([{ collection: name, key: 'x', resolutions }]).expect(422);
    expect(refused.body).toMatchObject({ code: 'unstorable-data', errors: [{ collection: name, key: 'x' }] });
  });
});
