import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi({ maxRecordBytes: 2000 }));
});

const post = (changes: object[], more: object = {}) => call.post('/v1/commits').send({ changes, ...more });

describe('200', () => {
  test('all changes go live in one revision', async () => {
    const { name: collection, commit, record } = await newCollection(call);
    await commit('merge', { n: 1, keep: true });
    await commit('patch', { list: [1] });
    await commit('delete', {});
    const { body } = await post([
      { collection, key: 'put', operation: 'put', data: { n: 1 } },
      { collection, key: 'merge', operation: 'merge', patch: { n: 2 } },
      { collection, key: 'patch', operation: 'patch', patch: [{ op: 'add', path: '/list/-', value: 2 }] },
      { collection, key: 'delete', operation: 'delete' },
    ]).expect(200);
    expect(body).toMatchObject({ kind: 'commit', changeCount: 4, unchanged: false });
    expect((await call.get(record('put')).expect(200)).body.revision).toBe(body.revision);
    expect((await call.get(record('merge')).expect(200)).body.data).toEqual({ n: 2, keep: true });
    expect((await call.get(record('patch')).expect(200)).body.data).toEqual({ list: [1, 2] });
    await call.get(record('delete')).expect(410);
  });

  test('a rehearsal writes nothing', async () => {
    const { name: collection, record } = await newCollection(call);
    const changes = [{ collection, key: 'a', operation: 'put', data: {} }];
    expect((await post(changes, { dryRun: true }).expect(200)).body).toMatchObject({
      dryRun: true,
      changeCount: 1,
    });
    await call.get(record('a')).expect(404);
  });

  test('ifVersion 0 creates, and only creates', async () => {
    const { name: collection } = await newCollection(call);
    const changes = [{ collection, key: 'a', operation: 'put', data: { n: 1 }, ifVersion: 0 }];
    await post(changes).expect(200);
    const { body } = await post(changes).expect(409);
    expect(body.code).toBe('version-conflict');
  });

  test('a repeat with the same key is the same answer, and another body is refused', async () => {
    const { name: collection } = await newCollection(call);
    const key = randomUUID();
    const changes = [{ collection, key: 'a', operation: 'put', data: { n: 1 } }];
    const first = await post(changes).set('Idempotency-Key', key).expect(200);
    const again = await call
      .post('/v1/commits')
      .set('Idempotency-Key', `"${key}"`)
      .send(`{ "changes": [{"data":{"n":1.0},"operation":"put","key":"a","collection":"${collection}"}]}`)
      .type('json')
      .expect(200);
    expect([again.body, again.headers['idempotency-replayed']]).toEqual([first.body, 'true']);
    const refused = await post([], {})
      .send({ changes: [{ ...changes[0], data: {} }] })
      .set('Idempotency-Key', key)
      .expect(422);
    expect(refused.body.code).toBe('idempotency-key-reused');
  });
});

describe('refusals', () => {
  test('all or nothing: one failure undoes the others, and names its change', async () => {
    const definition = { rules: [{ id: 'positive', assert: 'data.n > 0', message: 'm', pointer: '/n' }] };
    const { name: collection, record } = await newCollection(call, definition);
    const { body } = await post([
      { collection, key: 'good', operation: 'put', data: { n: 1 } },
      { collection, key: 'bad', operation: 'put', data: { n: -1 } },
    ]).expect(422);
    expect(body).toMatchObject({
      code: 'validation-failed',
      errors: [{ pointer: '/changes/1/data/n', rule: 'positive', collection, key: 'bad' }],
    });
    await call.get(record('good')).expect(404);
  });

  test('404 without the collection or the record', async () => {
    const { name: collection } = await newCollection(call);
    const codeOf = async (change: object) => (await post([change]).expect(404)).body.code;
    expect(await codeOf({ collection: 'missing', key: 'a', operation: 'put', data: {} })).toBe(
      'collection-not-found',
    );
    expect(await codeOf({ collection, key: 'a', operation: 'delete' })).toBe('record-not-found');
    expect(await codeOf({ collection, key: 'a', operation: 'merge', patch: {} })).toBe('record-not-found');
  });

  test('409 for a failing test of a JSON Patch, 422 for an impossible one', async () => {
    const { name: collection, commit } = await newCollection(call);
    await commit('a', { n: 1 });
    const patch = (operation: object) =>
      post([{ collection, key: 'a', operation: 'patch', patch: [operation] }]);
    expect((await patch({ op: 'test', path: '/n', value: 2 }).expect(409)).body.code).toBe(
      'patch-test-failed',
    );
    expect((await patch({ op: 'remove', path: '/m' }).expect(422)).body.code).toBe('patch-impossible');
  });

  test('413 for a record that is too large', async () => {
    const { name: collection } = await newCollection(call);
    const { body } = await post([
      { collection, key: 'a', operation: 'put', data: { t: 'x'.repeat(3000) } },
    ]).expect(413);
    expect(body.code).toBe('record-too-large');
  });

  test('400 for no changes, and for one record twice', async () => {
    const { name: collection } = await newCollection(call);
    await post([]).expect(400);
    const change = { collection, key: 'a', operation: 'put', data: {} };
    await post([change, change]).expect(400);
  });

  test('422 for data that is too deep', async () => {
    const { name: collection } = await newCollection(call);
    const data = JSON.parse(`${'{"a":'.repeat(64)}{}${'}'.repeat(64)}`);
    expect((await post([{ collection, key: 'a', operation: 'put', data }]).expect(422)).body.code).toBe(
      'unstorable-data',
    );
  });

  test('422 work-limit: each record is within its bound, all together are more work than one call may be', async () => {
    const { call: roomy } = await startApi();
    const assert = Array.from({ length: 3 }, () => 'data.s == data.s').join(' && ');
    const rules = Array.from({ length: 90 }, (_, at) => ({ id: `same-${at}`, assert, message: 'm' }));
    const { name: collection, record } = await newCollection(roomy, { rules });
    const changes = Array.from({ length: 30 }, (_, at) => ({
      collection,
      key: `k${at}`,
      operation: 'put',
      data: { s: 'x'.repeat(100_000) },
    }));
    const { body } = await roomy.post('/v1/commits').send({ changes }).expect(422);
    expect(body).toMatchObject({ code: 'work-limit', limit: 40_000_000 });
    await roomy.get(record('k0')).expect(404);
    await roomy
      .post('/v1/commits')
      .send({ changes: changes.slice(0, 15) })
      .expect(200);
  });
});
