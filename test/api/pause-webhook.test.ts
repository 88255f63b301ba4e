import { expect, test } from 'vitest';
import { startApi } from '../support/api.js';
import { newWebhook, unknownWebhook } from '../support/webhooks.js';

const { call } = await startApi();

test('200 pauses it, and again', async () => {
  const hook = await newWebhook(call);
  const { body, headers } = await call.post(`${hook.path}/pause`).set('If-Match', hook.tag).expect(200);
  expect(body).toMatchObject({ state: 'paused', pausedBecause: 'by-hand', nextAttemptAt: null });
  expect(headers.etag).toBe(await hook.tagNow());
  await call.post(`${hook.path}/pause`).expect(200);
});

test('412 precondition-failed for a tag that is older than a write', async () => {
  const hook = await newWebhook(call);
  await call.post(`${hook.path}/pause`).expect(200);
  const { body } = await call.post(`${hook.path}/resume`).set('If-Match', hook.tag).expect(412);
  expect(body.code).toBe('precondition-failed');
});

test('404 webhook-not-found', async () => {
  expect((await call.post(`${unknownWebhook}/pause`).expect(404)).body.code).toBe('webhook-not-found');
});

test('400 for a body, which has nothing to say', async () => {
  const hook = await newWebhook(call);
  await call.post(`${hook.path}/pause`).send({ for: 'ever' }).expect(400);
});
