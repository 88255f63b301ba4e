import { beforeAll, expect, test } from 'vitest';
import type { Db } from '../../src/store/db.js';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
let db: Db;
beforeAll(async () => {
  ({ call, db } = await startApi());
});

test('204 ends an empty collection, and the history stays in the log', async () => {
  const collection = await newCollection(call);
  await collection.commit('a', {});
  await collection.remove('a');
  const { headers } = await call.delete(collection.path).expect(204);
  await call.get(collection.path).expect(404);
  const { body } = await call.get(`/v1/commits/${headers['diptych-revision']}`).expect(200);
  expect(body).toMatchObject({
    kind: 'definition',
    definition: { collection: collection.name, number: null },
  });
});

test('a collection can be made again under the same name', async () => {
  const { path } = await newCollection(call);
  await call.delete(path).expect(204);
  const { body } = await call.put(path).send({}).expect(201);
  expect(body.definitionNumber).toBe(2);
});

test('409 while it has live records or pending versions, or is referred to', async () => {
  const live = await newCollection(call);
  await live.commit('a', {});
  const staged = await newCollection(call);
  await staged.stage('a', {});
  const target = await newCollection(call);
  await newCollection(call, { references: [{ pointer: '/to', collection: target.name }] });
  for (const { path } of [live, staged, target]) {
    const { body } = await call.delete(path).expect(409);
    expect(body.code).toBe('collection-in-use');
  }
});

test('412 when it is not what the caller saw', async () => {
  const { path } = await newCollection(call);
  await call.delete(path).set('If-Match', '"x"').expect(412);
});

test('404 for a collection that is not there', async () => {
  const { body } = await call.delete('/v1/collections/missing').set('If-Match', '*').expect(404);
  expect(body.code).toBe('collection-not-found');
});

test('409 mirror-blocked while somebody’s view reads its mirror', async () => {
  const { path, name } = await newCollection(call, { mirror: true });
  await db.queryOnce(`CREATE VIEW reporting AS SELECT key FROM mirror."${name}"`);
  const { body } = await call.delete(path).expect(409);
  expect(body.code).toBe('mirror-blocked');
  await db.queryOnce('DROP VIEW reporting');
  await call.delete(path).expect(204);
});
