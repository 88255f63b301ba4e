import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, newChangeset, newCollection, type RunningApi, startApi } from '../support/api.js';

let call: Api;
let api: RunningApi;
beforeAll(async () => {
  api = await startApi({ maxRecordBytes: 2000 });
  call = api.call;
});

const MERGE = 'application/merge-patch+json';

/** A record whose pending version, staged by Ada, was started from another version than is current now. */
async function outdated(base: object | null, current: object | null, pending: object | null, schema = {}) {
  const items = await newCollection(call, { schema });
  const path = items.pending('a');
  if (base !== null) await items.commit('a', base);
  const staged = pending === null ? { operation: 'delete' } : { data: pending };
  const { headers } = await call.put(path).set('Diptych-Actor', 'ada').send(staged).expect(201);
  if (current !== null) await items.commit('a', current);
  else if (base !== null) await items.remove('a');
  const rebase = (resolutions: object = {}) =>
    call.post(`${path}/rebase`).set('Diptych-Actor', 'bob').send({ resolutions });
  return { ...items, path, rebase, staged: headers.etag ?? '' };
}

describe('200', () => {
  test('what both changed is merged on the current base, and can be committed', async () => {
    const { path, staged, record } = await outdated(
      { a: 1, b: 1, c: 1 },
      { a: 2, b: 1 },
      { a: 1, b: 2, c: 1 },
    );
    const { body, headers } = await call.post(`${path}/rebase`).expect(200);
    expect(body).toMatchObject({ data: { a: 2, b: 2 }, baseVersion: 2, currentVersion: 2, outdated: false });
    expect(body).toMatchObject({ operation: 'upsert', stagedBy: ['ada'], resolutions: [], message: null });
    expect(headers['diptych-revision']).toMatch(/^\d+$/);
    // It is an edit: the tag of what was staged no longer leads to a commit.
    await call.post(`${path}/commit`).set('If-Match', staged).expect(412);
    await call
      .post(`${path}/commit`)
      .set('If-Match', headers.etag ?? '')
      .expect(200);
    expect((await call.get(record('a'))).body).toMatchObject({ version: 3, data: { a: 2, b: 2 } });
  });

  test('one that is on the current base stays as it is, whatever the resolutions', async () => {
    const { pending, stage } = await newCollection(call);
    const { headers } = await stage('a', { n: 1 });
    const answer = await call
      .post(`${pending('a')}/rebase`)
      .send({ resolutions: { '/n': 'current' } })
      .expect(200);
    expect(answer.headers.etag).toBe(headers.etag);
    expect(answer.body).toMatchObject({ data: { n: 1 }, outdated: false, stagedBy: ['anonymous'] });
  });

  test('one that was started before there was a record is merged with what somebody created', async () => {
    const { rebase } = await outdated(null, { a: 1, x: { m: 1 } }, { b: 1, x: { n: 1 } });
    const { body } = await rebase().expect(200);
    expect(body).toMatchObject({ data: { a: 1, b: 1, x: { m: 1, n: 1 } }, baseVersion: 1 });
  });

  test('each resolution settles its conflict, and is kept with who and when', async () => {
    const before = Date.now();
    const { rebase, path } = await outdated(
      { a: 1, b: 1, c: 1, d: { 'x/y': 1 } },
      { a: 2, b: 2, c: 2, d: { 'x/y': 2 } },
      { a: 3, b: 3, d: { 'x/y': 3 } },
    );
    const { body } = await rebase({
      '/a': 'pending',
      '/b': 'current',
      '/c': { value: null },
      '/d/x~1y': { value: [4] },
    }).expect(200);
    expect(body.data).toEqual({ a: 3, b: 2, c: null, d: { 'x/y': [4] } });
    expect(body.stagedBy).toEqual(['ada', 'bob']);
    const at = body.resolutions[0].at;
    expect(Date.parse(at)).toBeGreaterThanOrEqual(before);
    expect(
      body.resolutions.toSorted((a: { pointer: string }, b: { pointer: string }) =>
        a.pointer < b.pointer ? -1 : 1,
      ),
    ).toEqual([
      { pointer: '/a', resolution: 'pending', by: 'bob', at },
      { pointer: '/b', resolution: 'current', by: 'bob', at },
      { pointer: '/c', resolution: { value: null }, by: 'bob', at },
      { pointer: '/d/x~1y', resolution: { value: [4] }, by: 'bob', at },
    ]);
    expect((await call.get(path).expect(200)).body).toEqual(body);
  });

  test('who keeps what was staged has no part in its content', async () => {
    const { rebase } = await outdated({ a: 1 }, { a: 2 }, { a: 3 });
    expect((await rebase({ '/a': 'pending' }).expect(200)).body.stagedBy).toEqual(['ada']);
  });

  test('items with a key are merged one by one', async () => {
    const schema = { properties: { list: { type: 'array', mergeKey: 'id', items: {} } } };
    const list = (...counts: number[]) => ({ list: counts.map((n, index) => ({ id: `i${index}`, n })) });
    const { rebase } = await outdated(list(1, 1, 1), list(2, 1, 2), list(1, 2, 3), schema);
    const refused = await rebase().expect(409);
    expect(refused.body.conflicts).toEqual([{ pointer: '/list/i2/n', base: 1, current: 2, pending: 3 }]);
    expect((await rebase({ '/list/i2/n': 'current' }).expect(200)).body.data).toEqual(list(2, 2, 2));
  });
});

describe('a record that one side deletes', () => {
  const conflictOf = (body: { conflicts: unknown }) => body.conflicts;

  test.each([
    ['pending', 'delete', null],
    ['current', 'upsert', { n: 2 }],
  ])('by the pending version, resolved for %s', async (resolution, operation, data) => {
    const { rebase, path } = await outdated({ n: 1 }, { n: 2 }, null);
    const { body } = await rebase().expect(409);
    expect(conflictOf(body)).toEqual([{ pointer: '', base: { n: 1 }, current: { n: 2 } }]);
    const rebased = await rebase({ '': resolution }).expect(200);
    expect(rebased.body).toMatchObject({ operation, data, baseVersion: 2, outdated: false });
    const commit = await call
      .post(`${path}/commit`)
      .set('If-Match', rebased.headers.etag ?? '')
      .expect(200);
    expect(commit.body.unchanged).toBe(resolution === 'current');
  });

  test.each([
    ['pending', 'upsert', { n: 3 }],
    ['current', 'delete', null],
  ])('by a commit, resolved for %s', async (resolution, operation, data) => {
    const { rebase, path } = await outdated({ n: 1 }, null, { n: 3 });
    const { body } = await rebase().expect(409);
    expect(conflictOf(body)).toEqual([{ pointer: '', base: { n: 1 }, pending: { n: 3 } }]);
    expect(body).toMatchObject({ baseVersion: 1, currentVersion: null });
    const rebased = await rebase({ '': resolution }).expect(200);
    expect(rebased.body).toMatchObject({ operation, data, baseVersion: null, outdated: false });
    const commit = await call
      .post(`${path}/commit`)
      .set('If-Match', rebased.headers.etag ?? '')
      .expect(200);
    expect(commit.body.unchanged).toBe(resolution === 'current');
  });

  test('by both is no conflict', async () => {
    const { rebase } = await outdated({ n: 1 }, null, null);
    expect((await rebase().expect(200)).body).toMatchObject({ operation: 'delete', baseVersion: null });
  });

  test('and that nobody changed on the other side goes', async () => {
    const { rebase } = await outdated({ n: 1 }, null, { n: 1 });
    expect((await rebase().expect(200)).body).toMatchObject({ operation: 'delete', data: null });
  });
});

describe('resolutions stay', () => {
  test('over rebases and patches, until the pending version is replaced whole', async () => {
    const { rebase, path, commit } = await outdated({ a: 1 }, { a: 2 }, { a: 3 });
    await rebase({ '/a': 'pending' }).expect(200);
    await commit('a', { a: 4 });
    const again = await rebase({ '/a': { value: 5 } }).expect(200);
    expect(again.body.resolutions.map(({ resolution }: { resolution: unknown }) => resolution)).toEqual([
      'pending',
      { value: 5 },
    ]);
    const patched = await call
      .patch(path)
      .type(MERGE)
      .send({ data: { b: 1 } })
      .expect(200);
    expect(patched.body.resolutions).toEqual(again.body.resolutions);
    const replaced = await call
      .put(path)
      .set('If-Match', '*')
      .send({ data: { c: 1 } })
      .expect(200);
    expect(replaced.body.resolutions).toEqual([]);
  });

  test('with the version that a commit makes', async () => {
    const { rebase, path, name } = await outdated({ a: 1 }, { a: 2 }, { a: 3 });
    await rebase({ '/a': 'pending' }).expect(200);
    await call.post(`${path}/commit`).set('If-Match', '*').expect(200);
    const [row] = await api.db.query<{ resolutions: unknown[] }>(
      `SELECT v.resolutions FROM version v JOIN record r ON r.id = v.record_id JOIN collection c ON c.id = r.collection_id
       WHERE c.name = $1 AND v.id = r.current_version_id`,
      [name],
    );
    expect(row?.resolutions).toMatchObject([{ pointer: '/a', resolution: 'pending', by: 'bob' }]);
  });
});

describe('in a changeset', () => {
  test('the member is rebased, which is an edit of the changeset', async () => {
    const { commit, pending } = await newCollection(call);
    await commit('a', { a: 1, b: 1 });
    const changeset = await newChangeset(call);
    await changeset.stage(pending('a'), { data: { a: 2, b: 1 } });
    await commit('a', { a: 1, b: 2 });
    const seen = (await call.get(changeset.path)).headers.etag ?? '';
    const { body } = await call.post(`${pending('a')}/rebase?changeset=${changeset.id}`).expect(200);
    expect(body).toMatchObject({ changeset: changeset.id, data: { a: 2, b: 2 }, outdated: false });
    await call.post(`${changeset.path}/commit`).set('If-Match', seen).expect(412);
    await call.post(`${changeset.path}/commit`).set('If-Match', '*').expect(200);
  });

  test('409 once it is closed, 404 where there is none', async () => {
    const { pending } = await newCollection(call);
    const changeset = await newChangeset(call);
    await changeset.stage(pending('a'), { data: {} });
    await call.post(`${changeset.path}/discard`).set('If-Match', '*').expect(200);
    const closed = await call.post(`${pending('a')}/rebase?changeset=${changeset.id}`).expect(409);
    expect(closed.body.code).toBe('changeset-closed');
    const missing = await call.post(`${pending('a')}/rebase?changeset=${randomUUID()}`).expect(404);
    expect(missing.body.code).toBe('changeset-not-found');
  });
});

describe('409', () => {
  test('names every conflict with all three values, and writes nothing', async () => {
    const { rebase, path } = await outdated(
      { a: 1, b: 1, c: 1, d: [], e: 1 },
      { a: 2, c: 2, d: [1], e: 2, n: 1 },
      { a: 3, b: 3, d: [2], e: 1, n: 2 },
    );
    const before = await call.get(path).expect(200);
    const { body, headers } = await rebase({ '/a': 'current' }).expect(409);
    expect(body.code).toBe('rebase-conflict');
    expect(body.conflicts).toHaveLength(4);
    expect(body.conflicts).toEqual(
      expect.arrayContaining([
        { pointer: '/b', base: 1, pending: 3 },
        { pointer: '/c', base: 1, current: 2 },
        { pointer: '/d', base: [], current: [1], pending: [2] },
        { pointer: '/n', current: 1, pending: 2 },
      ]),
    );
    expect(body).toMatchObject({ conflictCount: 4, baseVersion: 1, currentVersion: 2 });
    expect(body.etag).toBe(before.headers.etag);
    expect(headers.etag).toBe(before.headers.etag);
    expect((await call.get(path)).body).toEqual(before.body);
  });

  test('the tag that it names leads on', async () => {
    const { rebase, path } = await outdated({ a: 1 }, { a: 2 }, { a: 3 });
    const { body } = await rebase().expect(409);
    await rebase({ '/a': 'pending' }).set('If-Match', body.etag).expect(200);
    expect((await call.get(path)).body.outdated).toBe(false);
  });
});

describe('other refusals', () => {
  test('400 for every resolution that is in no conflict', async () => {
    const { rebase, path } = await outdated({ a: 1, b: 1 }, { a: 2, b: 2 }, { a: 3, b: 3 });
    const { body } = await rebase({ '/a': 'pending', '/a/x': 'pending', '': 'current' }).expect(400);
    expect(body.code).toBe('invalid-request');
    expect(
      body.errors.map(({ pointer, code }: { pointer: string; code: string }) => [pointer, code]),
    ).toEqual([
      ['/resolutions/~1a~1x', 'no-conflict'],
      ['/resolutions/', 'no-conflict'],
    ]);
    expect((await call.get(path)).body.outdated).toBe(true);
  });

  test('400 for what is no resolution, all at once', async () => {
    const { rebase } = await outdated({ a: 1 }, { a: 2 }, { a: 3 });
    const { body } = await rebase({
      a: 'pending',
      '/~2': 'pending',
      '/a': 'mine',
      '/b': { value: 1, by: 'me' },
      '/c': {},
      '/d': 7,
    }).expect(400);
    expect(
      body.errors.map(({ pointer, code }: { pointer: string; code: string }) => [pointer, code]),
    ).toEqual([
      ['/resolutions/a', 'format'],
      ['/resolutions/~1~02', 'format'],
      ['/resolutions/~1a', 'choice'],
      ['/resolutions/~1b', 'choice'],
      ['/resolutions/~1c', 'choice'],
      ['/resolutions/~1d', 'choice'],
    ]);
    const unknown = await call.post('/v1/collections/x/records/a/pending/rebase').send({ resolution: {} });
    expect(unknown.body.errors).toMatchObject([{ pointer: '/resolution', code: 'unknown-member' }]);
  });

  test('400 for more resolutions than any record needs, and for hostile pointers', async () => {
    const { rebase } = await outdated({ a: 1 }, { a: 2 }, { a: 3 });
    const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, n) => [`/${n}`, 'pending']));
    const { body } = await rebase(many).expect(400);
    expect(body.errors).toMatchObject([{ pointer: '/resolutions', code: 'out-of-range' }]);
    const long = await rebase({ [`/${'a'.repeat(5_000_000)}`]: 'pending' }).expect(400);
    expect(long.body.errors).toMatchObject([{ code: 'no-conflict' }]);
    const deep = await rebase({ ['/a'.repeat(2_500_000)]: 'pending' }).expect(400);
    expect(deep.body.errors).toMatchObject([{ code: 'no-conflict' }]);
  });

  test('400 for a whole that is no object', async () => {
    const { rebase } = await outdated({ a: 1 }, null, { a: 3 });
    const { body } = await rebase({ '': { value: [] } }).expect(400);
    expect(body.errors).toMatchObject([{ pointer: '/resolutions//value', code: 'type' }]);
  });

  test('404 without the pending version, the record, or the collection', async () => {
    const { pending, commit } = await newCollection(call);
    await commit('a', {});
    for (const key of ['a', 'b']) {
      const { body } = await call.post(`${pending(key)}/rebase`).expect(404);
      expect(body.code).toBe('pending-not-found');
    }
    const { body } = await call.post('/v1/collections/missing/records/a/pending/rebase').expect(404);
    expect(body.code).toBe('collection-not-found');
  });

  test('412 when it is not what the caller saw', async () => {
    const { rebase, path, staged } = await outdated({ a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1, b: 2 });
    await call
      .patch(path)
      .type(MERGE)
      .send({ data: { c: 1 } })
      .expect(200);
    const { body } = await rebase().set('If-Match', staged).expect(412);
    expect(body.etag).toBe((await call.get(path)).headers.etag);
  });

  test('413 when the two together are too large', async () => {
    const text = 'x'.repeat(1200);
    const { rebase, path } = await outdated({}, { a: text }, { b: text });
    expect((await rebase().expect(413)).body.code).toBe('record-too-large');
    expect((await call.get(path)).body.data).toEqual({ b: text });
  });

  test('413 when rebasing again and again would keep too many resolutions', async () => {
    const { rebase, commit } = await outdated({ a: 1 }, { a: 2 }, { a: 3 });
    let status = 200;
    for (let n = 0; status === 200 && n < 10; n += 1) {
      const resolution = { value: 'x'.repeat(500 + n) };
      ({ status } = await rebase({ '/a': resolution }));
      if (status === 200) await commit('a', { a: n + 10 });
    }
    expect(status).toBe(413);
  });

  test('422 when a value cannot be stored', async () => {
    const deep = JSON.parse(`${'['.repeat(63)}${']'.repeat(63)}`);
    const { rebase } = await outdated({ a: { b: 1 } }, { a: { b: 2 } }, { a: { b: 3 } });
    expect((await rebase({ '/a/b': { value: deep } }).expect(422)).body.code).toBe('unstorable-data');
    const exact = await call
      .post('/v1/collections/x/records/a/pending/rebase')
      .type('application/json')
      .send('{"resolutions":{"/a":{"value":12345678901234567890}}}')
      .expect(422);
    expect(exact.body.code).toBe('unstorable-data');
  });
});
