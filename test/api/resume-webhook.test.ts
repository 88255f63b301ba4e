import { expect, test } from 'vitest';
import { deleting, newCollection, startApi } from '../support/api.js';
import { newWebhook, unknownWebhook } from '../support/webhooks.js';

const { call } = await startApi();

test('200 goes on where it was, also when it was not paused', async () => {
  const hook = await newWebhook(call);
  const { position } = await hook.view();
  await call.post(`${hook.path}/pause`).expect(200);
  const { body } = await call.post(`${hook.path}/resume`).expect(200);
  expect(body).toMatchObject({ state: 'active', pausedBecause: null, position });
  await call.post(`${hook.path}/resume`).expect(200);
});

test('410 position-expired where retention has removed data of what follows; it stays paused', async () => {
  const things = await newCollection(call, deleting);
  const hook = await newWebhook(call, { collection: things.name });
  await call.post(`${hook.path}/pause`).expect(200);
  await things.commit('a', { n: 1 });
  const last = await things.commit('a', { n: 2 });
  await things.retain();
  const { body } = await call.post(`${hook.path}/resume`).expect(410);
  expect(body).toMatchObject({ code: 'position-expired', horizon: last });
  expect(await hook.view()).toMatchObject({ state: 'paused' });
});

test('404 webhook-not-found', async () => {
  expect((await call.post(`${unknownWebhook}/resume`).expect(404)).body.code).toBe('webhook-not-found');
});
