import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

const priced = {
  rules: [{ id: 'positive', assert: 'data.price > 0', message: 'A price is positive.', pointer: '/price' }],
};

describe('200', () => {
  test('readers see the record from this revision on', async () => {
    const { pending, stage, record, name } = await newCollection(call);
    const { headers } = await stage('a', { n: 1 });
    const { body, headers: answer } = await call
      .post(`${pending('a')}/commit`)
      .set('If-Match', headers.etag ?? '')
      .set('Diptych-Actor', 'ada')
      .send({ message: 'first' })
      .expect(200);
    expect(body).toMatchObject({
      kind: 'commit',
      changeCount: 1,
      changes: [{ collection: name, key: 'a', operation: 'create', before: null, after: 1 }],
      unchanged: false,
    });
    expect(answer['diptych-revision']).toBe(String(body.revision));
    const read = await call.get(record('a')).set('Diptych-Min-Revision', String(body.revision)).expect(200);
    expect(read.body).toMatchObject({
      version: 1,
      revision: body.revision,
      data: { n: 1 },
      committedBy: 'ada',
      message: 'first',
    });
    await call.get(pending('a')).expect(404);
  });

  test('a receipt commits what it judged', async () => {
    const { pending, stage } = await newCollection(call, priced);
    await stage('a', { price: 1 });
    const { body } = await call.post(`${pending('a')}/validate`).expect(200);
    await call
      .post(`${pending('a')}/commit`)
      .send({ receipt: body.receipt })
      .expect(200);
  });

  test('a deletion makes the record gone', async () => {
    const { pending, commit, record } = await newCollection(call);
    await commit('a', {});
    await call.put(pending('a')).send({ operation: 'delete' }).expect(201);
    const { body } = await call
      .post(`${pending('a')}/commit`)
      .set('If-Match', '*')
      .expect(200);
    expect(body.changes).toMatchObject([{ operation: 'delete', before: 1, after: null }]);
    await call.get(record('a')).expect(410);
  });

  test('what equals the current version makes no revision', async () => {
    const { pending, commit, stage } = await newCollection(call);
    const head = await commit('a', { n: 1, m: 2 });
    await stage('a', { m: 2, n: 1 });
    const { body } = await call
      .post(`${pending('a')}/commit`)
      .set('If-Match', '*')
      .expect(200);
    expect(body).toMatchObject({ unchanged: true, revision: head, changes: [] });
  });

  test('a repeat with the same key is the same answer', async () => {
    const { pending, stage } = await newCollection(call);
    await stage('a', { n: 1 });
    const key = randomUUID();
    const commit = () =>
      call
        .post(`${pending('a')}/commit`)
        .set('If-Match', '*')
        .set('Idempotency-Key', `"${key}"`);
    const first = await commit().expect(200);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    const second = await commit().expect(200);
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(second.body).toEqual(first.body);
    await commit().send({ message: 'other' }).expect(422);
    const { body } = await call.get(`/v1/commits?idempotencyKey=${key}`).expect(200);
    expect(body).toMatchObject({
      items: [{ revision: first.body.revision }],
      outcome: { status: 200, body: first.body },
    });
  });
});

describe('refusals', () => {
  test('428 with the tag when the caller does not say what it saw', async () => {
    const { pending, stage } = await newCollection(call);
    const { headers } = await stage('a', {});
    const { body } = await call.post(`${pending('a')}/commit`).expect(428);
    expect(body).toMatchObject({ code: 'precondition-required', etag: headers.etag });
  });

  test('412 when the pending version is another by now', async () => {
    const { pending, stage } = await newCollection(call);
    const { headers } = await stage('a', { n: 1 });
    await stage('a', { n: 2 });
    await call
      .post(`${pending('a')}/commit`)
      .set('If-Match', headers.etag ?? '')
      .expect(412);
  });

  test('409 when the receipt is older than the content', async () => {
    const { pending, stage } = await newCollection(call);
    await stage('a', { n: 1 });
    const { body: report } = await call.post(`${pending('a')}/validate`).expect(200);
    await stage('a', { n: 2 });
    const { body } = await call
      .post(`${pending('a')}/commit`)
      .send({ receipt: report.receipt })
      .expect(409);
    expect(body).toMatchObject({ code: 'receipt-stale', changed: expect.arrayContaining(['content']) });
  });

  test.each(['nonsense', '{}', 'r1', 'é', '\u{1f600}'])(
    'a receipt that never was one is refused: %s',
    async (receipt) => {
      const { pending, stage } = await newCollection(call);
      await stage('a', { n: 1 });
      const { status } = await call.post(`${pending('a')}/commit`).send({ receipt });
      expect([400, 409]).toContain(status);
    },
  );

  test('409 when the record moved since', async () => {
    const { pending, stage, commit } = await newCollection(call);
    await commit('a', { n: 1 });
    await stage('a', { n: 2 });
    await commit('a', { n: 3 });
    const { body } = await call
      .post(`${pending('a')}/commit`)
      .set('If-Match', '*')
      .expect(409);
    expect(body).toMatchObject({ code: 'base-outdated', baseVersion: 1, currentVersion: 2 });
  });

  test('422 with every failure, and nothing is committed', async () => {
    const { pending, stage, record } = await newCollection(call, priced);
    await stage('a', { price: -1 });
    const { body } = await call
      .post(`${pending('a')}/commit`)
      .set('If-Match', '*')
      .expect(422);
    expect(body).toMatchObject({
      code: 'validation-failed',
      errors: [{ rule: 'positive', pointer: '/data/price', message: 'A price is positive.' }],
    });
    await call.get(record('a')).expect(404);
    await call.get(pending('a')).expect(200);
  });

  test('a refusal is repeated as well', async () => {
    const { pending, stage } = await newCollection(call, priced);
    await stage('a', { price: -1 });
    const key = randomUUID();
    const commit = () =>
      call
        .post(`${pending('a')}/commit`)
        .set('If-Match', '*')
        .set('Idempotency-Key', key)
        .expect(422);
    const first = await commit();
    const second = await commit();
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(second.body.errors).toEqual(first.body.errors);
    const { body } = await call.get(`/v1/commits?idempotencyKey=${key}`).expect(200);
    expect(body).toMatchObject({
      items: [],
      outcome: { status: 422, revision: null, body: { code: 'validation-failed' } },
    });
  });

  test('404 when nothing is staged', async () => {
    const { pending } = await newCollection(call);
    const { body } = await call
      .post(`${pending('a')}/commit`)
      .set('If-Match', '*')
      .expect(404);
    expect(body.code).toBe('pending-not-found');
    await call.post('/v1/collections/missing/records/a/pending/commit').set('If-Match', '*').expect(404);
  });

  test('409 for a member of a changeset', async () => {
    const { pending } = await newCollection(call);
    const { body } = await call
      .post(`${pending('a')}/commit?changeset=${randomUUID()}`)
      .set('If-Match', '*')
      .expect(409);
    expect(body.code).toBe('changeset-member');
  });
});
