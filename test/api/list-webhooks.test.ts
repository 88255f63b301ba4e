import { expect, test } from 'vitest';
import { startApi } from '../support/api.js';
import { newWebhook, webhooksUrl } from '../support/webhooks.js';

const { call } = await startApi();
const hooks = [await newWebhook(call), await newWebhook(call), await newWebhook(call)];
const newestFirst = hooks.map(({ id }) => id).reverse();
const idsOf = (body: { items: { id: string }[] }) => body.items.map(({ id }) => id);

test('200 lists all of them, the newest first, each as it is when it is read alone', async () => {
  const { body } = await call.get(webhooksUrl).expect(200);
  expect(idsOf(body)).toEqual(newestFirst);
  expect(body.next).toBeNull();
  expect(body.items[2]).toEqual(await hooks[0]?.view());
});

test('200 leads through them in pages', async () => {
  const first = await call.get(`${webhooksUrl}?limit=2`).expect(200);
  expect(idsOf(first.body)).toEqual(newestFirst.slice(0, 2));
  const second = await call.get(`${webhooksUrl}?limit=2&cursor=${first.body.next}`).expect(200);
  expect(idsOf(second.body)).toEqual(newestFirst.slice(2));
  expect(second.body.next).toBeNull();
});

test('400 cursor-invalid for the cursor of another list', async () => {
  const { body } = await call.get(`${webhooksUrl}?cursor=WyJjb21taXRzIiwxXQ`).expect(400);
  expect(body.code).toBe('cursor-invalid');
});
