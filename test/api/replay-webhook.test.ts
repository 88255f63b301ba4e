import { expect, test } from 'vitest';
import { deleting, newCollection, startApi } from '../support/api.js';
import { newWebhook, unknownWebhook } from '../support/webhooks.js';

const { call, db } = await startApi();
const things = await newCollection(call);
const first = await things.commit('a', {});
const last = await things.commit('b', {});

test('200 moves the position back, and on', async () => {
  const hook = await newWebhook(call);
  const back = await call
    .post(`${hook.path}/replay`)
    .set('If-Match', hook.tag)
    .send({ after: first })
    .expect(200);
  expect(back.body).toMatchObject({ position: String(first), lag: 1, state: 'active' });
  expect(back.headers.etag).not.toBe(hook.tag);
  const on = await call.post(`${hook.path}/replay`).send({ after: last }).expect(200);
  expect(on.body).toMatchObject({ position: String(last), lag: 0 });
});

test('200 lets go on what the service has paused, and leaves paused what was paused by hand', async () => {
  const hook = await newWebhook(call);
  for (const [paused, state] of [
    ['gone', 'active'],
    ['position-expired', 'active'],
    ['by-hand', 'paused'],
  ]) {
    await db.query(`UPDATE webhook SET paused = $1, failures = 3, last_error = '{}' WHERE id = $2`, [
      paused,
      hook.id,
    ]);
    const { body } = await call.post(`${hook.path}/replay`).send({ after: first }).expect(200);
    expect(body).toMatchObject({ state, failures: 0, lastError: null });
  }
});

test('404 revision-not-found beyond the head', async () => {
  const hook = await newWebhook(call);
  const { body } = await call.post(`${hook.path}/replay`).send({ after: 10_000 }).expect(404);
  expect(body.code).toBe('revision-not-found');
});

test('410 position-expired below the horizon', async () => {
  const others = await newCollection(call, deleting);
  const hook = await newWebhook(call, { collection: others.name });
  await others.commit('a', { n: 1 });
  await others.commit('a', { n: 2 });
  await others.retain();
  const { body } = await call.post(`${hook.path}/replay`).send({ after: first }).expect(410);
  expect(body.code).toBe('position-expired');
});

test('404 webhook-not-found, 400 without a revision', async () => {
  const { body } = await call.post(`${unknownWebhook}/replay`).send({ after: 0 }).expect(404);
  expect(body.code).toBe('webhook-not-found');
  const hook = await newWebhook(call);
  for (const wrong of [{}, { after: '1' }, { after: -1 }, { after: 1.5 }])
    expect((await call.post(`${hook.path}/replay`).send(wrong).expect(400)).body.errors).toMatchObject([
      { pointer: '/after' },
    ]);
});
