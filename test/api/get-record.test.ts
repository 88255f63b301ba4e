import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, deleting, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

describe('200', () => {
  test('is the current version', async () => {
    const { commit, record, name } = await newCollection(call);
    const revision = await commit('a', { n: 1 });
    const { body, headers } = await call.get(record('a')).expect(200);
    expect(body).toMatchObject({
      collection: name,
      key: 'a',
      version: 1,
      revision,
      data: { n: 1 },
      message: null,
    });
    expect(body.committedAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(headers['cache-control']).toBe('private, no-cache');
  });

  test.each(['a/b', 'a%2Fb', ' ', 'ключ', '😀'.repeat(255), '__proto__', "o'neil", '"', '?&#', '...', '\\'])(
    'for the key %j',
    async (key) => {
      const { commit, record } = await newCollection(call);
      await commit(key, { key });
      expect((await call.get(record(key)).expect(200)).body).toMatchObject({ key, data: { key } });
    },
  );

  test('keys are told apart code point by code point', async () => {
    const { commit, record } = await newCollection(call);
    await commit('\u00e9', { form: 'composed' });
    await commit('e\u0301', { form: 'decomposed' });
    await commit('A', { form: 'upper' });
    expect((await call.get(record('\u00e9')).expect(200)).body.data.form).toBe('composed');
    expect((await call.get(record('e\u0301')).expect(200)).body.data.form).toBe('decomposed');
    await call.get(record('a')).expect(404);
  });

  test('as it was at a revision or at a moment', async () => {
    const { commit, record, remove } = await newCollection(call);
    const first = await commit('a', { n: 1 });
    const second = await commit('a', { n: 2 });
    const gone = await remove('a');
    const { body } = await call.get(`${record('a')}?revision=${first}`).expect(200);
    expect(body).toMatchObject({ version: 1, revision: first, data: { n: 1 } });
    expect((await call.get(`${record('a')}?revision=${second}`).expect(200)).body.version).toBe(2);
    await call.get(`${record('a')}?revision=${gone}`).expect(410);
    const then = await call.get(`${record('a')}?at=${encodeURIComponent(body.committedAt)}`);
    expect([200, 410]).toContain(then.status);
    await call.get(`${record('a')}?revision=${first - 1}`).expect(404);
    await call.get(`${record('a')}?at=2020-01-01T00:00:00Z`).expect(404);
  });

  test('HEAD has the same headers and no body', async () => {
    const { commit, record } = await newCollection(call);
    await commit('a', {});
    const get = await call.get(record('a')).expect(200);
    const head = await call.head(record('a')).expect(200);
    for (const name of ['etag', 'diptych-revision', 'content-type', 'content-length']) {
      expect(head.headers[name]).toBe(get.headers[name]);
    }
    await call.head(record('missing')).expect(404);
  });
});

test('304 until the record changes, whatever else is committed', async () => {
  const { commit, record } = await newCollection(call);
  await commit('a', { n: 1 });
  const { headers } = await call.get(record('a')).expect(200);
  await commit('b', {});
  const same = await call
    .get(record('a'))
    .set('If-None-Match', headers.etag ?? '')
    .expect(304);
  expect(Number(same.headers['diptych-revision'])).toBe(Number(headers['diptych-revision']) + 1);
  await commit('a', { n: 2 });
  await call
    .get(record('a'))
    .set('If-None-Match', headers.etag ?? '')
    .expect(200);
});

describe('refusals', () => {
  test('404 tells nothing of a pending version', async () => {
    const { stage, record } = await newCollection(call);
    await stage('staged', {});
    const staged = await call.get(record('staged')).expect(404);
    const nothing = await call.get(record('absent')).expect(404);
    expect(staged.body.code).toBe('record-not-found');
    expect(staged.body.detail.replace('staged', '')).toBe(nothing.body.detail.replace('absent', ''));
    expect((await call.get('/v1/collections/missing/records/a').expect(404)).body.code).toBe(
      'collection-not-found',
    );
  });

  test('410 for a deleted record', async () => {
    const { commit, remove, record } = await newCollection(call);
    await commit('a', {});
    await remove('a');
    expect((await call.get(record('a')).expect(410)).body.code).toBe('record-deleted');
  });

  test('404 for a revision or a moment that has not come', async () => {
    const { commit, record } = await newCollection(call);
    await commit('a', {});
    for (const query of ['revision=999999999', 'revision=9007199254740991', 'at=2999-01-01T00:00:00Z']) {
      expect((await call.get(`${record('a')}?${query}`).expect(404)).body.code).toBe('revision-not-found');
    }
  });

  test('503 with Retry-After for a state that does not arrive', async () => {
    const { commit, record } = await newCollection(call);
    await commit('a', {});
    const { body, headers } = await call.get(record('a')).set('Diptych-Min-Revision', '999999').expect(503);
    expect(body.code).toBe('revision-not-reached');
    expect(headers['retry-after']).toBeDefined();
  });

  test('412 when the caller wants what it has, and it is another', async () => {
    const { commit, record } = await newCollection(call);
    await commit('a', {});
    await call.get(record('a')).set('If-Match', '"x"').expect(412);
  });
});

test('410 with the horizon below it, by revision and by time; at the horizon and above all is as it was', async () => {
  const { commit, record, retain } = await newCollection(call, deleting);
  const first = await commit('a', { n: 1 });
  const { body: committed } = await call.get(`/v1/commits/${first}`).expect(200);
  const horizon = await commit('a', { n: 2 });
  await commit('b', { n: 3 });
  await retain();
  for (const query of [`revision=${first}`, `at=${committed.committedAt}`]) {
    const { body } = await call.get(`${record('a')}?${query}`).expect(410);
    expect(body).toMatchObject({ code: 'revision-compacted', horizon });
  }
  expect((await call.get(`${record('a')}?revision=${horizon}`).expect(200)).body.data).toEqual({ n: 2 });
  expect((await call.get(`${record('b')}?revision=${horizon}`).expect(404)).body.code).toBe(
    'record-not-found',
  );
  // A record of which nothing has gone says the same: the horizon is the collection's.
  await call.get(`${record('b')}?revision=${first}`).expect(410);
});
