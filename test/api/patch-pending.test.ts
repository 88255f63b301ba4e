import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi({ maxRecordBytes: 2000 }));
});

const MERGE = 'application/merge-patch+json';
const PATCH = 'application/json-patch+json';

describe('200 and 201', () => {
  test('merge patches add up', async () => {
    const { pending, stage } = await newCollection(call);
    await stage('a', { price: 1, name: 'x', old: true });
    await call
      .patch(pending('a'))
      .type(MERGE)
      .send({ data: { price: 2 } })
      .expect(200);
    const { body } = await call
      .patch(pending('a'))
      .type(MERGE)
      .send({ data: { old: null } })
      .expect(200);
    expect(body.data).toEqual({ price: 2, name: 'x' });
  });

  test('starts from the current version when nothing is staged', async () => {
    const { pending, commit, record } = await newCollection(call);
    await commit('a', { price: 1, name: 'x' });
    const { body, headers } = await call
      .patch(pending('a'))
      .type(MERGE)
      .send({ data: { price: 2 } })
      .expect(201);
    expect(headers.location).toBe(pending('a'));
    expect(body).toMatchObject({ data: { price: 2, name: 'x' }, baseVersion: 1, currentVersion: 1 });
    expect((await call.get(record('a'))).body.data.price).toBe(1);
  });

  test('a JSON Patch is applied whole', async () => {
    const { pending, stage } = await newCollection(call);
    await stage('a', { list: [1, 2], name: 'x' });
    const { body } = await call
      .patch(pending('a'))
      .type(PATCH)
      .send(
        JSON.stringify([
          { op: 'test', path: '/data/name', value: 'x' },
          { op: 'add', path: '/data/list/-', value: 3 },
          { op: 'move', from: '/data/name', path: '/data/title' },
        ]),
      )
      .expect(200);
    expect(body.data).toEqual({ list: [1, 2, 3], title: 'x' });
  });
});

describe('refusals', () => {
  test('409 when a test fails, and nothing is applied', async () => {
    const { pending, stage } = await newCollection(call);
    await stage('a', { n: 1 });
    const operations = [
      { op: 'replace', path: '/data/n', value: 2 },
      { op: 'test', path: '/data/n', value: 1 },
    ];
    const { body } = await call.patch(pending('a')).type(PATCH).send(JSON.stringify(operations)).expect(409);
    expect(body.code).toBe('patch-test-failed');
    expect((await call.get(pending('a'))).body.data).toEqual({ n: 1 });
  });

  test.each([
    [PATCH, [{ op: 'remove', path: '/data/missing' }]],
    [PATCH, [{ op: 'replace', path: '', value: 7 }]],
    [PATCH, [{ op: 'add', path: '/key', value: 'b' }]],
    [PATCH, [{ op: 'remove', path: '/data' }]],
    [MERGE, { data: [] }],
    [MERGE, { stagedBy: ['me'] }],
    [MERGE, 7],
  ])('422 for a patch that leaves no pending version: %s %j', async (type, patch) => {
    const { pending, stage } = await newCollection(call);
    await stage('a', { n: 1 });
    const { body } = await call.patch(pending('a')).type(type).send(JSON.stringify(patch)).expect(422);
    expect(body.code).toBe('patch-impossible');
  });

  test('422 for a path of ten million characters', async () => {
    const { pending, stage } = await newCollection(call);
    await stage('a', {});
    const operations = [{ op: 'remove', path: `/${'a'.repeat(10_000_000)}` }];
    await call.patch(pending('a')).type(PATCH).send(JSON.stringify(operations)).expect(422);
  });

  test('413 when patches make a record too large', async () => {
    const { pending, stage } = await newCollection(call);
    await stage('a', { text: 'x'.repeat(1900) });
    await call
      .patch(pending('a'))
      .type(MERGE)
      .send({ data: { more: 'x'.repeat(200) } })
      .expect(413);
  });

  test('422 when a patch makes data too deep', async () => {
    const { pending, stage } = await newCollection(call);
    await stage('a', JSON.parse(`${'{"a":'.repeat(63)}{}${'}'.repeat(63)}`));
    const { body } = await call
      .patch(pending('a'))
      .type(PATCH)
      .send(JSON.stringify([{ op: 'copy', from: '/data', path: '/data/b' }]))
      .expect(422);
    expect(body.code).toBe('unstorable-data');
  });

  test('412 when it is not what the caller saw', async () => {
    const { pending, stage } = await newCollection(call);
    await stage('a', {});
    await call.patch(pending('a')).type(MERGE).set('If-Match', '"x"').send({ data: {} }).expect(412);
  });

  test('404 when there is nothing to start from', async () => {
    const { pending } = await newCollection(call);
    await call.patch(pending('a')).type(MERGE).send({ data: {} }).expect(404);
    await call
      .patch(`${pending('a')}?changeset=${randomUUID()}`)
      .type(MERGE)
      .send({ data: {} })
      .expect(404);
    await call.patch('/v1/collections/missing/records/a/pending').type(MERGE).send({ data: {} }).expect(404);
  });
});
