import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi({ maxRecordBytes: 2000 }));
});

describe('201 and 200', () => {
  test('stages a record that is not there yet, and readers see nothing of it', async () => {
    const { pending, record, name } = await newCollection(call);
    const { body, headers } = await call
      .put(pending('a/b %'))
      .send({ data: { n: 1 }, message: 'why' })
      .expect(201);
    expect(headers.location).toBe(pending('a/b %'));
    expect(body).toMatchObject({
      collection: name,
      key: 'a/b %',
      operation: 'upsert',
      data: { n: 1 },
      baseVersion: null,
      currentVersion: null,
      outdated: false,
      message: 'why',
      stagedBy: ['anonymous'],
      validation: { state: 'unknown' },
    });
    await call.get(record('a/b %')).expect(404);
  });

  test('replaces what the caller saw', async () => {
    const { pending } = await newCollection(call);
    const first = await call
      .put(pending('a'))
      .send({ data: { n: 1 } })
      .expect(201);
    const tag = first.headers.etag ?? '';
    const { body, headers } = await call
      .put(pending('a'))
      .set('If-Match', tag)
      .send({ data: { n: 2 } })
      .expect(200);
    expect(body.data).toEqual({ n: 2 });
    expect(headers.etag).not.toBe(tag);
    await call
      .put(pending('a'))
      .set('If-Match', '*')
      .send({ data: { n: 3 } })
      .expect(200);
  });

  test('the tag holds although the pending version was validated meanwhile', async () => {
    const { pending } = await newCollection(call);
    const { headers } = await call.put(pending('a')).send({ data: {} }).expect(201);
    await call.post(`${pending('a')}/validate`).expect(200);
    await call
      .put(pending('a'))
      .set('If-Match', headers.etag ?? '')
      .send({ data: { n: 1 } })
      .expect(200);
  });

  test('stages a deletion', async () => {
    const { pending, commit } = await newCollection(call);
    await commit('a', {});
    const { body } = await call.put(pending('a')).send({ operation: 'delete' }).expect(201);
    expect(body).toMatchObject({ operation: 'delete', data: null, digest: null, baseVersion: 1 });
  });

  test('what is staged comes back equal', async () => {
    const { pending } = await newCollection(call);
    const data = {
      text: 'é😀\u2028"\\/\b',
      numbers: [0, -0.5, 1e21, 5e-324, 9007199254740991, 0.1],
      constructor: { name: 'x' },
      toString: null,
      '': { '~/': [] },
      prototype: {},
    };
    await call.put(pending('a')).send({ data }).expect(201);
    const { body } = await call.get(pending('a')).expect(200);
    expect(body.data).toEqual(data);
  });

  test('names who staged, by header while there are no tokens', async () => {
    const { pending } = await newCollection(call);
    await call.put(pending('a')).set('Diptych-Actor', 'ada').send({ data: {} }).expect(201);
    const { body } = await call
      .put(pending('a'))
      .set('Diptych-Actor', 'bob')
      .set('If-Match', '*')
      .send({ data: {} });
    expect(body.stagedBy).toEqual(['ada', 'bob']);
  });
});

describe('refusals', () => {
  test('428 with the present tag when somebody’s work is there', async () => {
    const { pending } = await newCollection(call);
    const { headers } = await call
      .put(pending('a'))
      .send({ data: { n: 1 } })
      .expect(201);
    const refused = await call
      .put(pending('a'))
      .send({ data: { n: 2 } })
      .expect(428);
    expect(refused.body).toMatchObject({ code: 'precondition-required', etag: headers.etag });
    expect((await call.get(pending('a'))).body.data).toEqual({ n: 1 });
  });

  test('412 when it is no longer what the caller saw', async () => {
    const { pending } = await newCollection(call);
    const { headers } = await call
      .put(pending('a'))
      .send({ data: { n: 1 } })
      .expect(201);
    await call
      .put(pending('a'))
      .set('If-Match', '*')
      .send({ data: { n: 2 } })
      .expect(200);
    const { body } = await call
      .put(pending('a'))
      .set('If-Match', headers.etag ?? '')
      .send({ data: {} })
      .expect(412);
    expect(body.code).toBe('precondition-failed');
    await call.put(pending('a')).set('If-None-Match', '*').send({ data: {} }).expect(412);
    await call.put(pending('b')).set('If-Match', '*').send({ data: {} }).expect(412);
    await call.put(pending('a')).set('If-Match', `W/${headers.etag}`).send({ data: {} }).expect(412);
  });

  test('404 without the collection, the changeset, or a record to delete', async () => {
    const { pending } = await newCollection(call);
    const missing = await call
      .put('/v1/collections/missing/records/a/pending')
      .send({ data: {} })
      .expect(404);
    expect(missing.body.code).toBe('collection-not-found');
    const changeset = await call
      .put(`${pending('a')}?changeset=${randomUUID()}`)
      .send({ data: {} })
      .expect(404);
    expect(changeset.body.code).toBe('changeset-not-found');
    const nothing = await call.put(pending('a')).send({ operation: 'delete' }).expect(404);
    expect(nothing.body.code).toBe('record-not-found');
  });

  test('409 when the version that the data was made from is not current', async () => {
    const { pending, commit } = await newCollection(call);
    await commit('a', { n: 1 });
    const { body } = await call.put(pending('a')).send({ data: {}, baseVersion: null }).expect(409);
    expect(body).toMatchObject({ code: 'base-outdated', baseVersion: null, currentVersion: 1 });
    await call.put(pending('a')).send({ data: {}, baseVersion: 1 }).expect(201);
  });

  test('413 beyond the size of a record', async () => {
    const { pending } = await newCollection(call);
    const { body } = await call
      .put(pending('a'))
      .send({ data: { text: 'x'.repeat(2001) } })
      .expect(413);
    expect(body.code).toBe('record-too-large');
  });

  test('422 beyond 64 levels, and not before', async () => {
    const { pending } = await newCollection(call);
    const nested = (levels: number) => `{"data":${'{"a":'.repeat(levels - 1)}{}${'}'.repeat(levels - 1)}}`;
    await call.put(pending('a')).type('json').send(nested(64)).expect(201);
    const { body } = await call.put(pending('b')).type('json').send(nested(65)).expect(422);
    expect(body.code).toBe('unstorable-data');
    expect(body.errors[0].pointer).toMatch(/^\/data\//);
  });

  test('400 for a deletion with data, and for an unknown operation', async () => {
    const { pending } = await newCollection(call);
    await call.put(pending('a')).send({ operation: 'delete', data: {} }).expect(400);
    await call.put(pending('a')).send({ operation: 'create', data: {} }).expect(400);
    await call
      .put(pending('a'))
      .send({ data: {}, message: 'x'.repeat(4097) })
      .expect(400);
  });
});
