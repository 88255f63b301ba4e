import { expect, test } from 'vitest';
import { startApi } from '../support/api.js';

const { call } = await startApi();
const url = '/v1/changesets';

test('201 is an open changeset, empty, where Location says', async () => {
  const { body, headers } = await call
    .post(url)
    .set('Diptych-Actor', 'ann')
    .send({ title: 'Winter prices', message: 'Agreed on Monday' })
    .expect(201);
  expect(body).toMatchObject({
    title: 'Winter prices',
    message: 'Agreed on Monday',
    state: 'open',
    createdBy: 'ann',
    memberCount: 0,
    validation: { state: 'unknown' },
    approvals: [],
    schedule: null,
    refusal: null,
    closedBy: null,
    closedAt: null,
    revision: null,
  });
  expect(headers.location).toBe(`${url}/${body.id}`);
  const read = await call.get(headers.location ?? '').expect(200);
  expect([read.body, read.headers.etag]).toEqual([body, headers.etag]);
});

test('201: a title may come twice, and opening one is no commit', async () => {
  const first = await call.post(url).send({ title: 'Same' }).expect(201);
  const second = await call.post(url).send({ title: 'Same' }).expect(201);
  expect(second.body.id).not.toBe(first.body.id);
  expect(second.body.message).toBeNull();
  expect(second.headers['diptych-revision']).toBe(first.headers['diptych-revision']);
});

test('400 names everything that is wrong at once', async () => {
  const pointersOf = async (body: object) => {
    const refused = await call.post(url).send(body).expect(400);
    expect(refused.body.code).toBe('invalid-request');
    return refused.body.errors.map((failure: { pointer: string }) => failure.pointer).sort();
  };
  expect(await pointersOf({ title: ' ', message: 7, state: 'committed' })).toEqual([
    '/message',
    '/state',
    '/title',
  ]);
  expect(await pointersOf({})).toEqual(['/title']);
  expect(await pointersOf({ title: 'x'.repeat(201) })).toEqual(['/title']);
});

test('401 without a token where tokens are set', async () => {
  const token = 'x'.repeat(32);
  const secured = await startApi({ authTokens: [{ actor: { name: 'joe', admin: false }, token }] });
  await secured.call.post(url).send({ title: 'T' }).expect(401);
  const { body } = await secured.call
    .post(url)
    .set('Authorization', `Bearer ${token}`)
    .set('Diptych-Actor', 'somebody else')
    .send({ title: 'T' });
  expect(body.createdBy).toBe('joe');
});

test('415 for another media type', async () => {
  const { body } = await call.post(url).type('text/plain').send('title').expect(415);
  expect(body.code).toBe('unsupported-media-type');
});
