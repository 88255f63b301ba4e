import { beforeAll, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

test('200 is the definition in force', async () => {
  const { path, name } = await newCollection(call, { title: 'Things' });
  const { body } = await call.get(path).expect(200);
  expect(body).toMatchObject({ name, definition: { title: 'Things' }, definitionNumber: 1 });
});

test('304 when the caller has it', async () => {
  const { path } = await newCollection(call);
  const { headers } = await call.get(path).expect(200);
  await call.get(path).set('If-None-Match', `"x", W/${headers.etag}`).expect(304);
  await call.get(path).set('If-None-Match', '*').expect(304);
  await call.get(path).set('If-None-Match', '"x"').expect(200);
});

test('412 when the caller wants only what it has, and it is another', async () => {
  const { path } = await newCollection(call);
  await call.get(path).set('If-Match', '"x"').expect(412);
});

test('404 for a collection that is not there', async () => {
  const { body } = await call.get('/v1/collections/missing').expect(404);
  expect(body.code).toBe('collection-not-found');
});
