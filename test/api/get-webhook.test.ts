import { expect, test } from 'vitest';
import { newCollection, startApi } from '../support/api.js';
import { newWebhook, unknownWebhook } from '../support/webhooks.js';

const { call } = await startApi();

test('200 counts how far behind it is', async () => {
  const things = await newCollection(call);
  const hook = await newWebhook(call);
  expect(await hook.view()).toMatchObject({ lag: 0 });
  await things.commit('a', {});
  await things.commit('b', {});
  expect(await hook.view()).toMatchObject({ lag: 2 });
});

test('304 for who has it, until anything of it is another', async () => {
  const things = await newCollection(call);
  const hook = await newWebhook(call);
  await call.get(hook.path).set('If-None-Match', hook.tag).expect(304);
  await things.commit('a', {});
  await call.get(hook.path).set('If-None-Match', hook.tag).expect(200);
});

test('404 webhook-not-found', async () => {
  expect((await call.get(unknownWebhook).expect(404)).body.code).toBe('webhook-not-found');
});

test('400 for what is no id', async () => {
  expect((await call.get('/v1/webhooks/1').expect(400)).body.errors).toMatchObject([
    { pointer: '/webhook', in: 'path' },
  ]);
});
