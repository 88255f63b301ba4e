import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, archiving, deleting, newCollection, startApi } from '../support/api.js';

let call: Api;
let guarded: Api;
beforeAll(async () => {
  ({ call } = await startApi());
  ({ call: guarded } = await startApi({
    authTokens: [{ actor: { name: 'ada', admin: false }, token: 'a'.repeat(32) }],
  }));
});

describe('200', () => {
  test('readers see the earlier version again, in a new revision', async () => {
    const { commit, record, name } = await newCollection(call);
    await commit('a', { n: 1 });
    const head = await commit('a', { n: 2 });
    const { body } = await call
      .post(`${record('a')}/rollback`)
      .send({ toVersion: 1, message: 'no' })
      .expect(200);
    expect(body).toMatchObject({
      revision: head + 1,
      kind: 'rollback',
      changes: [{ collection: name, key: 'a', operation: 'update', before: 2, after: 1 }],
    });
    expect((await call.get(record('a')).expect(200)).body).toMatchObject({
      version: 1,
      revision: head + 1,
      data: { n: 1 },
    });
  });

  test('a deleted record comes back', async () => {
    const { commit, remove, record } = await newCollection(call);
    await commit('a', { n: 1 });
    await remove('a');
    const { body } = await call
      .post(`${record('a')}/rollback`)
      .send({ toVersion: 1 })
      .expect(200);
    expect(body.changes).toMatchObject([{ operation: 'create', before: null, after: 1 }]);
  });

  test('an administrator goes past today’s rules, and the log says so', async () => {
    const collection = await newCollection(call);
    await collection.commit('a', { price: -1 });
    await collection.commit('a', { price: 1 });
    const definition = { rules: [{ id: 'positive', assert: 'data.price > 0', message: 'm' }] };
    await call.put(collection.path).set('If-Match', '*').send(definition).expect(200);
    const url = `${collection.record('a')}/rollback`;
    expect((await call.post(url).send({ toVersion: 1 }).expect(422)).body.code).toBe('validation-failed');
    const { body } = await call.post(url).send({ toVersion: 1, force: true }).expect(200);
    expect((await call.get(`/v1/commits/${body.revision}`).expect(200)).body.forced).toBe(true);
  });

  test('a repeat with the same key is the same answer', async () => {
    const { commit, record } = await newCollection(call);
    await commit('a', { n: 1 });
    await commit('a', { n: 2 });
    const key = randomUUID();
    const back = () =>
      call
        .post(`${record('a')}/rollback`)
        .set('Idempotency-Key', key)
        .send({ toVersion: 1 })
        .expect(200);
    const first = await back();
    const second = await back();
    expect([second.body, second.headers['idempotency-replayed']]).toEqual([first.body, 'true']);
  });
});

describe('refusals', () => {
  test('409 when that version is current', async () => {
    const { commit, record } = await newCollection(call);
    await commit('a', {});
    const { body } = await call
      .post(`${record('a')}/rollback`)
      .send({ toVersion: 1 })
      .expect(409);
    expect(body.code).toBe('already-current');
  });

  test('412 when the record is not what the caller saw', async () => {
    const { commit, record } = await newCollection(call);
    await commit('a', { n: 1 });
    const { headers } = await call.get(record('a')).expect(200);
    await commit('a', { n: 2 });
    const url = `${record('a')}/rollback`;
    await call
      .post(url)
      .set('If-Match', headers.etag ?? '')
      .send({ toVersion: 1 })
      .expect(412);
    const now = await call.get(record('a')).expect(200);
    await call
      .post(url)
      .set('If-Match', now.headers.etag ?? '')
      .send({ toVersion: 1 })
      .expect(200);
  });

  test('404 without the version, the record or the collection', async () => {
    const { commit, record } = await newCollection(call);
    await commit('a', {});
    const codeOf = async (path: string, toVersion: number) =>
      (await call.post(`${path}/rollback`).send({ toVersion }).expect(404)).body.code;
    expect(await codeOf(record('a'), 2)).toBe('version-not-found');
    expect(await codeOf(record('a'), 2147483647)).toBe('version-not-found');
    expect(await codeOf(record('b'), 1)).toBe('record-not-found');
    expect(await codeOf('/v1/collections/missing/records/a', 1)).toBe('collection-not-found');
  });

  test('403 for force without the permission', async () => {
    const { body } = await guarded
      .post('/v1/collections/products/records/a/rollback')
      .set('Authorization', `Bearer ${'a'.repeat(32)}`)
      .send({ toVersion: 1, force: true })
      .expect(403);
    expect(body.code).toBe('permission-required');
  });

  test.each([
    {},
    { toVersion: 0 },
    { toVersion: '1' },
    { toVersion: 2147483648 },
    { toVersion: 1.5 },
    { toVersion: 1, by: 'me' },
  ])('400 for %j', async (body) => {
    await call.post('/v1/collections/products/records/a/rollback').send(body).expect(400);
  });
});

describe('what retention took', () => {
  test('200 to an archived version, which comes back as it was', async () => {
    const { commit, record, retain } = await newCollection(call, archiving);
    await commit('a', { n: 1 });
    const first = await call.get(record('a')).expect(200);
    await commit('a', { n: 2 });
    await retain();
    await call
      .post(`${record('a')}/rollback`)
      .send({ toVersion: 1 })
      .expect(200);
    const { body } = await call.get(record('a')).expect(200);
    expect(body).toMatchObject({ version: 1, data: first.body.data });
    const version = await call.get(`${record('a')}/versions/1`).expect(200);
    expect(version.body).toMatchObject({ current: true, archived: false, deleted: false });
    // And it goes again once it is not current any more.
    await commit('a', { n: 3 });
    await retain();
    expect((await call.get(`${record('a')}/versions/1`).expect(200)).body).toMatchObject({ archived: true });
  });

  test('410 to one whose data is deleted; the record stays as it is', async () => {
    const { commit, record, retain } = await newCollection(call, deleting);
    await commit('a', { n: 1 });
    await commit('a', { n: 2 });
    await retain();
    const { body } = await call
      .post(`${record('a')}/rollback`)
      .send({ toVersion: 1 })
      .expect(410);
    expect(body.code).toBe('version-expired');
    expect((await call.get(record('a')).expect(200)).body).toMatchObject({ version: 2 });
  });

  test('a deleted record comes back from the archive', async () => {
    const { commit, remove, record, retain } = await newCollection(call, archiving);
    await commit('a', { n: 1 });
    await commit('a', { n: 2 });
    await remove('a');
    await retain();
    await call
      .post(`${record('a')}/rollback`)
      .send({ toVersion: 1 })
      .expect(200);
    expect((await call.get(record('a')).expect(200)).body.data).toEqual({ n: 1 });
  });
});
