import { expect, test } from 'vitest';
import { startApi } from '../support/api.js';
import { newWebhook, unknownWebhook } from '../support/webhooks.js';

const { call, db } = await startApi();

test('204 removes it with its secrets', async () => {
  const hook = await newWebhook(call);
  await call.delete(hook.path).set('If-Match', hook.tag).expect(204);
  await call.get(hook.path).expect(404);
  expect(await db.query(`SELECT FROM webhook_secret`)).toEqual([]);
});

test('412 precondition-failed for a tag that is older than a write', async () => {
  const hook = await newWebhook(call);
  await call.put(hook.path).set('If-Match', '*').send({ url: 'https://other.example/' }).expect(200);
  const { body } = await call.delete(hook.path).set('If-Match', hook.tag).expect(412);
  expect(body.code).toBe('precondition-failed');
  await call.delete(hook.path).expect(204);
});

test('404 webhook-not-found', async () => {
  expect((await call.delete(unknownWebhook).expect(404)).body.code).toBe('webhook-not-found');
});
