import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
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
});
