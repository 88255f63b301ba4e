import { expect, test } from 'vitest';
import { deleting, newCollection, startApi } from '../support/api.js';
import { newWebhook, webhooksUrl } from '../support/webhooks.js';

const { call, db } = await startApi();
const url = 'https://shop.example/hook';

test('201 begins with what is new, and shows the secret once', async () => {
  const things = await newCollection(call);
  const revision = await things.commit('a', {});
  const { body, headers } = await call
    .post(webhooksUrl)
    .set('Diptych-Actor', 'ann')
    .send({ url, description: 'Shop', collection: things.name, keyPrefix: 'a' })
    .expect(201);
  expect(body).toMatchObject({
    url,
    description: 'Shop',
    collection: things.name,
    keyPrefix: 'a',
    state: 'active',
    pausedBecause: null,
    position: String(revision),
    lag: 0,
    failures: 0,
    lastError: null,
    createdBy: 'ann',
    secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/),
  });
  expect(headers.location).toBe(`${webhooksUrl}/${body.id}`);
  const { secret, ...view } = body;
  const read = await call.get(headers.location ?? '').expect(200);
  expect(read.body).toEqual(view);
  expect(read.headers.etag).toBe(headers.etag);
  expect((await call.get(webhooksUrl).expect(200)).text).not.toContain(secret);
});

test('201 begins after a revision, and counts what is to come', async () => {
  const things = await newCollection(call);
  const revision = await things.commit('a', {});
  await things.commit('a', { n: 1 });
  const hook = await newWebhook(call, { after: revision, collection: things.name });
  expect(await hook.view()).toMatchObject({ position: String(revision), lag: 1, collection: things.name });
  const whole = await newWebhook(call, { after: 0, collection: null, keyPrefix: null });
  expect(await whole.view()).toMatchObject({ position: '0', collection: null });
});

test('201: no two webhooks have one secret', async () => {
  expect((await newWebhook(call)).secret).not.toBe((await newWebhook(call)).secret);
});

test('422 webhook-url-refused names what is wrong with the URL', async () => {
  const { body } = await call.post(webhooksUrl).send({ url: 'http://a:b@0x7f.1/' }).expect(422);
  expect(body).toMatchObject({
    code: 'webhook-url-refused',
    errors: [
      { pointer: '/url', code: 'credentials' },
      { pointer: '/url', code: 'private-address' },
    ],
  });
});

test('404 collection-not-found for one that there has never been', async () => {
  const { body } = await call.post(webhooksUrl).send({ url, collection: 'nowhere' }).expect(404);
  expect(body.code).toBe('collection-not-found');
});

test('404 revision-not-found beyond the head', async () => {
  const { body } = await call.post(webhooksUrl).send({ url, after: 10_000 }).expect(404);
  expect(body).toMatchObject({ code: 'revision-not-found', errors: [{ pointer: '/after' }] });
});

test('410 position-expired below the horizon of what it is told of, and of nothing else', async () => {
  const things = await newCollection(call, deleting);
  const other = await newCollection(call);
  const first = await things.commit('a', { n: 1 });
  await things.commit('a', { n: 2 });
  await things.retain();
  for (const filter of [{}, { collection: things.name }]) {
    const { body } = await call
      .post(webhooksUrl)
      .send({ url, after: first, ...filter })
      .expect(410);
    expect(body.code).toBe('position-expired');
  }
  await newWebhook(call, { after: first, collection: other.name });
});

test('400 names every member that is not as documented', async () => {
  const body = { url: 7, collection: 'A', keyPrefix: '', after: -1, secret: 'x' };
  const answer = await call.post(webhooksUrl).send(body).expect(400);
  expect(answer.body.errors.map((each: { pointer: string }) => each.pointer).sort()).toEqual([
    '/after',
    '/collection',
    '/keyPrefix',
    '/secret',
    '/url',
  ]);
});

test('409 webhook-limit when there are as many as there may be', async () => {
  await db.query(
    `INSERT INTO webhook (url, created_by, revision, ordinal)
     SELECT 'https://shop.example/', 'ann', 0, 1 FROM generate_series(1, 1000)`,
  );
  const { body } = await call.post(webhooksUrl).send({ url }).expect(409);
  expect(body.code).toBe('webhook-limit');
});
