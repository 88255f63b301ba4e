import { beforeAll, describe, expect, test } from 'vitest';
import type { Db } from '../../src/store/db.js';
import { type Api, newCollection, startApi } from '../support/api.js';
import { readMirror } from '../support/mirror.js';

let call: Api;
let db: Db;
beforeAll(async () => {
  ({ call, db } = await startApi());
});

const priced = { schema: { type: 'object', required: ['price'], properties: { price: { type: 'number' } } } };

describe('201 and 200', () => {
  test('creates a collection and says where it is', async () => {
    const { body, headers } = await call.put('/v1/collections/created').send(priced).expect(201);
    expect(headers.location).toBe('/v1/collections/created');
    expect(body).toMatchObject({
      name: 'created',
      definition: priced,
      definitionNumber: 1,
      updatedBy: 'anonymous',
    });
    expect(headers['diptych-revision']).toBe(String(body.revision));
  });

  test('the same definition again changes nothing and needs no tag', async () => {
    const { path } = await newCollection(call, priced);
    const first = await call.get(path).expect(200);
    const { body, headers } = await call.put(path).send(priced).expect(200);
    expect(body).toEqual(first.body);
    expect(headers.etag).toBe(first.headers.etag);
  });

  test('another definition takes the tag of the one that was seen, and makes a revision', async () => {
    const { path } = await newCollection(call);
    const { headers, body } = await call.get(path).expect(200);
    const replaced = await call
      .put(path)
      .set('If-Match', headers.etag ?? '')
      .send(priced)
      .expect(200);
    expect(replaced.body).toMatchObject({
      definition: priced,
      definitionNumber: 2,
      revision: body.revision + 1,
    });
    expect(replaced.headers.etag).not.toBe(headers.etag);
  });

  test('a rehearsal tells the impact and saves nothing', async () => {
    const collection = await newCollection(call);
    await collection.commit('good', { price: 5 });
    await collection.commit('bad', { price: 'high' });
    const { body } = await call.put(`${collection.path}?dryRun=true`).send(priced).expect(200);
    expect(body).toMatchObject({ dryRun: true, live: { checked: 2, failing: 1, sample: [{ key: 'bad' }] } });
    const { body: after } = await call.get(collection.path).expect(200);
    expect(after.definition).toEqual({});
  });
});

describe('a rehearsal', () => {
  const rules = { unique: [['/sku']], references: [{ pointer: '/next', collection: 'rehearsed' }] };
  const sample = (body: {
    pending: { sample: { key: string; errors: { code: string; pointer: string }[] }[] };
  }) =>
    body.pending.sample.map(({ key, errors }) => [
      key,
      errors.map(({ code, pointer }) => `${code} ${pointer}`),
    ]);

  test('is there for a collection that is not, and takes no tag', async () => {
    const { body, headers } = await call.put('/v1/collections/never?dryRun=true').send(priced).expect(200);
    expect(body).toMatchObject({ live: { checked: 0, failing: 0 }, pending: { checked: 0, failing: 0 } });
    expect(headers.etag).toBeUndefined();
    await call.get('/v1/collections/never').expect(404);
  });

  test('judges unique values and references of pending versions as their commit would', async () => {
    const path = '/v1/collections/rehearsed';
    await call.put(path).send({}).expect(201);
    const put = (key: string, data: object) => ({ collection: 'rehearsed', key, operation: 'put', data });
    await call
      .post('/v1/commits')
      .send({ changes: [put('a', { sku: 1 }), put('b', { sku: 2, next: 'a' })] })
      .expect(200);
    const stage = (key: string, body: object) =>
      call.put(`${path}/records/${key}/pending`).send(body).expect(201);
    await stage('c', { data: { sku: 1 } });
    await stage('d', { data: { sku: 3, next: ['a', 'nobody'] } });
    await stage('e', { data: { sku: 3, next: 'e' } });
    await stage('a', { operation: 'delete' });
    const { body } = await call.put(`${path}?dryRun=true`).send(rules).expect(200);
    expect(body).toMatchObject({ live: { checked: 2, failing: 0 }, pending: { checked: 4, failing: 3 } });
    expect(sample(body)).toEqual([
      ['c', ['unique /sku']],
      ['d', ['reference /next/1']],
      ['a', ['referenced ']],
    ]);
    // The commits say the same once the definition is in force.
    await call.put(path).set('If-Match', '*').send(rules).expect(200);
    for (const [key, status] of [
      ['c', 422],
      ['d', 422],
      ['a', 422],
      ['e', 200],
    ] as const) {
      await call.post(`${path}/records/${key}/pending/commit`).set('If-Match', '*').send({}).expect(status);
    }
  });

  test('does not wait for the lock that commits need, and so holds up none', async () => {
    const collection = await newCollection(call);
    await collection.commit('a', { price: 1 });
    const client = await db.pool.connect();
    try {
      await client.query('BEGIN');
      await client.query('SELECT FROM head FOR UPDATE');
      // With the lock that commits need in other hands it still answers.
      await call.put(`${collection.path}?dryRun=true`).send(priced).expect(200);
    } finally {
      await client.query('ROLLBACK');
      client.release();
    }
  });
});

describe('refusals', () => {
  test('428 with the present tag when another definition is replaced unseen', async () => {
    const { path } = await newCollection(call);
    const { headers } = await call.get(path).expect(200);
    const refused = await call.put(path).send(priced).expect(428);
    expect(refused.body).toMatchObject({ code: 'precondition-required', etag: headers.etag });
    expect(refused.headers.etag).toBe(headers.etag);
  });

  test('412 when the tag is not that of the definition in force', async () => {
    const { path } = await newCollection(call);
    await call.put(path).set('If-Match', '"d0.other"').send(priced).expect(412);
    await call.put(path).set('If-None-Match', '*').send(priced).expect(412);
    await call.put('/v1/collections/nowhere').set('If-Match', '*').send(priced).expect(412);
  });

  test('409 while live records would break it, with a count and a sample', async () => {
    const collection = await newCollection(call);
    await collection.commit('bad', { price: 'high' });
    const { body } = await call.put(collection.path).set('If-Match', '*').send(priced).expect(409);
    expect(body).toMatchObject({ code: 'definition-conflict', failing: 1, sample: [{ key: 'bad' }] });
  });

  test('422 when all records together are too much work, though each of them is not', async () => {
    const collection = await newCollection(call);
    const list = Array.from({ length: 180 }, (_, at) => at);
    const changes = Array.from({ length: 700 }, (_, at) => ({
      collection: collection.name,
      key: `k${at}`,
      operation: 'put',
      data: { list, off: true },
    }));
    await call.post('/v1/commits').send({ changes }).expect(200);
    // Counted is the worst case; `off` ends it at once, so that the test does not take as long.
    const assert = 'data.off || data.list.all(a, data.list.all(b, a + b < 1000))';
    const costly = { rules: [{ id: 'costly', assert, message: 'm' }] };
    for (const path of [collection.path, `${collection.path}?dryRun=true`]) {
      const { body } = await call.put(path).set('If-Match', '*').send(costly).expect(422);
      expect(body).toMatchObject({ code: 'work-limit', limit: 1_000_000_000 });
    }
  });

  test.each([
    [{ schema: { type: 'nothing' } }],
    [{ schema: { $async: true } }],
    [{ schema: { pattern: '(' } }],
    [{ rules: [{ id: 'r', assert: 'data.', message: 'm' }] }],
    [{ unique: [['price']] }],
    [{ references: [{ pointer: '/a', collection: 'missing' }] }],
  ])('422 for a definition that cannot be: %j', async (definition) => {
    const { body } = await call.put('/v1/collections/refused').send(definition).expect(422);
    expect(body.code).toBe('definition-invalid');
    expect(body.errors.length).toBeGreaterThan(0);
  });

  test('400 for members that a definition does not have', async () => {
    const { body } = await call
      .put('/v1/collections/refused')
      .send({ rules: [{ id: 'r', test: '' }], colour: 1 })
      .expect(400);
    expect(body.errors.map((error: { pointer: string }) => error.pointer)).toEqual(
      expect.arrayContaining(['/colour', '/rules/0/test', '/rules/0/assert']),
    );
  });

  test.each(['Upper', '1st', 'a'.repeat(64), 'a.b', 'constructor!'])('400 for the name %s', async (name) => {
    await call.put(`/v1/collections/${name}`).send({}).expect(400);
  });

  test.each(['constructor', '__proto__'.replaceAll('_', 'p'), 'a'.repeat(63)])(
    'the name %s is like any other',
    async (name) => {
      await call.put(`/v1/collections/${name}`).send({}).expect(201);
    },
  );

  test('403 permission-required: only an admin asks fewer people, or lets old versions go otherwise', async () => {
    const tokens = { ann: 'a'.repeat(32), root: 'r'.repeat(32) };
    const secured = await startApi({
      authTokens: [
        { actor: { name: 'ann', admin: false }, token: tokens.ann },
        { actor: { name: 'root', admin: true }, token: tokens.root },
      ],
    });
    const put = (who: keyof typeof tokens, definition: object) =>
      secured.call
        .put('/v1/collections/guarded')
        .set('Authorization', `Bearer ${tokens[who]}`)
        .set('If-Match', '*')
        .send(definition);
    await secured.call
      .put('/v1/collections/guarded')
      .set('Authorization', `Bearer ${tokens.ann}`)
      .send({ approvals: { required: 2 }, retention: { keepDays: 30 } })
      .expect(201);
    const { body } = await put('ann', { approvals: { required: 1 }, retention: { keepDays: 1 } }).expect(403);
    expect(body).toMatchObject({
      code: 'permission-required',
      errors: [{ pointer: '/approvals/required' }, { pointer: '/retention' }],
    });
    await put('ann', { title: 'Guarded', approvals: { required: 3 }, retention: { keepDays: 30 } }).expect(
      200,
    );
    await put('root', {}).expect(200);
  });
});

describe('mirror', () => {
  test('is a part of the definition, and makes and removes the table', async () => {
    const { path, name, commit } = await newCollection(call, { mirror: true });
    await commit('a', {});
    expect((await call.get(path).expect(200)).body.definition).toEqual({ mirror: true });
    expect((await readMirror(db, name))?.length).toBe(1);
    await call.put(path).set('If-Match', '*').send({}).expect(200);
    expect(await readMirror(db, name)).toBeNull();
  });

  test('is true or false: 400', async () => {
    const { body } = await call.put('/v1/collections/mirrored').send({ mirror: 'yes' }).expect(400);
    expect(body).toMatchObject({ code: 'invalid-request', errors: [{ pointer: '/mirror' }] });
  });

  test('409 mirror-blocked: while a view reads it, and nothing has changed', async () => {
    const { path, name } = await newCollection(call, { mirror: true });
    await db.queryOnce(`CREATE VIEW reporting AS SELECT key FROM mirror."${name}"`);
    const { body } = await call.put(path).set('If-Match', '*').send({}).expect(409);
    expect(body).toMatchObject({ code: 'mirror-blocked', detail: expect.stringContaining(name) });
    expect((await call.get(path).expect(200)).body.definitionNumber).toBe(1);
    await db.queryOnce('DROP VIEW reporting');
    await call.put(path).set('If-Match', '*').send({}).expect(200);
  });

  test.each([
    ['somebody else’s table has its name', 'CREATE TABLE mirror.taken ()', 'DROP TABLE mirror.taken'],
    [
      'somebody else’s view has its name',
      'CREATE VIEW mirror.taken AS SELECT 1 AS one',
      'DROP VIEW mirror.taken',
    ],
    [
      'the publication was made anew for all tables',
      'DROP PUBLICATION diptych; CREATE PUBLICATION diptych FOR ALL TABLES',
      'DROP PUBLICATION diptych; CREATE PUBLICATION diptych',
    ],
    [
      'the schema of mirrors is away',
      'ALTER SCHEMA mirror RENAME TO away',
      'ALTER SCHEMA away RENAME TO mirror',
    ],
  ])('409 mirror-blocked: while %s', async (_, make, remove) => {
    await db.queryOnce(make);
    const { body } = await call.put('/v1/collections/taken').send({ mirror: true }).expect(409);
    expect(body.code).toBe('mirror-blocked');
    await call.get('/v1/collections/taken').expect(404);
    await db.queryOnce(remove);
    await call.put('/v1/collections/taken').send({ mirror: true }).expect(201);
    await call.delete('/v1/collections/taken').expect(204);
  });
});
