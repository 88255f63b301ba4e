import { expect, test } from 'vitest';
import { startApi } from '../support/api.js';
import { newWebhook, unknownWebhook } from '../support/webhooks.js';

const { call, db } = await startApi();

/** A webhook with so many attempts in its log, the newest last. */
async function withAttempts(count: number) {
  const hook = await newWebhook(call);
  await db.query(
    `INSERT INTO webhook_delivery (webhook_id, event_id, attempt, at, status, error, duration_ms)
     SELECT $1, 'evt_1_1', n, now(), 500, 'status-500', n FROM generate_series(1, $2) AS n`,
    [hook.id, count],
  );
  return hook;
}

const attemptsOf = (body: { items: { attempt: number }[] }) => body.items.map(({ attempt }) => attempt);

test('200 lists attempts, the newest first, in pages, and only its own', async () => {
  const hook = await withAttempts(3);
  await withAttempts(1);
  const first = await call.get(`${hook.path}/deliveries?limit=2`).expect(200);
  expect(attemptsOf(first.body)).toEqual([3, 2]);
  expect(first.body.items[0]).toMatchObject({
    event: 'evt_1_1',
    delivered: false,
    status: 500,
    error: 'status-500',
    durationMs: 3,
  });
  const second = await call.get(`${hook.path}/deliveries?limit=2&cursor=${first.body.next}`).expect(200);
  expect(attemptsOf(second.body)).toEqual([1]);
  expect(second.body.next).toBeNull();
});

test('400 cursor-invalid for the cursor of another webhook', async () => {
  const [one, two] = [await withAttempts(2), await withAttempts(2)];
  const { body } = await call.get(`${one.path}/deliveries?limit=1`).expect(200);
  const refused = await call.get(`${two.path}/deliveries?cursor=${body.next}`).expect(400);
  expect(refused.body.code).toBe('cursor-invalid');
});

test('404 webhook-not-found', async () => {
  expect((await call.get(`${unknownWebhook}/deliveries`).expect(404)).body.code).toBe('webhook-not-found');
});
