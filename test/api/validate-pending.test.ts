import { beforeAll, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

const definition = {
  schema: { type: 'object', required: ['price'], properties: { price: { type: 'number' } } },
  rules: [
    { id: 'positive', assert: 'data.price > 0', message: 'A price is positive.', pointer: '/price' },
    { id: 'high', assert: 'data.price < 1000', message: 'That is much.', severity: 'warning' },
  ],
};

test('200 with a receipt for a valid one', async () => {
  const { pending, stage } = await newCollection(call, definition);
  const staged = await stage('a', { price: 5 });
  const { body, headers } = await call.post(`${pending('a')}/validate`).expect(200);
  expect(body).toMatchObject({ valid: true, errors: [], warnings: [], digest: staged.body.digest });
  expect(body.receipt).toEqual(expect.any(String));
  expect(headers['diptych-revision']).toBe(String(body.validatedRevision));
  await call
    .get(pending('a'))
    .set('If-None-Match', headers.etag ?? '')
    .expect(304);
});

test('200 with everything that is wrong for an invalid one', async () => {
  const { pending, stage } = await newCollection(call, definition);
  await stage('a', { price: -1, extra: 1 });
  const { body } = await call
    .post(`${pending('a')}/validate`)
    .send({})
    .expect(200);
  expect(body).toMatchObject({
    valid: false,
    receipt: null,
    errors: [{ pointer: '/data/price', rule: 'positive', message: 'A price is positive.' }],
  });
  await stage('b', {});
  const missing = await call.post(`${pending('b')}/validate`).expect(200);
  expect(missing.body.valid).toBe(false);
  expect(missing.body.errors[0].pointer).toMatch(/^\/data/);
});

test('200 with warnings that forbid nothing', async () => {
  const { pending, stage } = await newCollection(call, definition);
  await stage('a', { price: 5000 });
  const { body } = await call.post(`${pending('a')}/validate`).expect(200);
  expect(body).toMatchObject({ valid: true, warnings: [{ rule: 'high' }] });
});

test('404 when nothing is staged', async () => {
  const { pending } = await newCollection(call);
  expect((await call.post(`${pending('a')}/validate`).expect(404)).body.code).toBe('pending-not-found');
});
