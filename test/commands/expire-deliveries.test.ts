import { expect, test } from 'vitest';
import { expireDeliveries } from '../../src/commands/expire-deliveries.js';
import { createInstance } from '../support/context.js';
import { hook } from '../support/webhook-jobs.js';

test('removes what is too old or too much, the oldest first, of each webhook by itself', async () => {
  const context = await createInstance();
  const { db } = context;
  const [busy, quiet] = [
    await hook(context, 'https://shop.example/'),
    await hook(context, 'https://shop.example/'),
  ];
  const attempts = (id: string, count: number, days: number) =>
    db.query(
      `INSERT INTO webhook_delivery (webhook_id, event_id, attempt, at, duration_ms)
       SELECT $1, 'evt_1_1', n, now() - make_interval(days => $3), 1 FROM generate_series(1, $2) AS n`,
      [id, count, days],
    );
  await attempts(quiet.id, 2, 8);
  await attempts(busy.id, 2_500, 0);
  await attempts(quiet.id, 3, 6);
  expect(await expireDeliveries(context, { days: 7, perWebhook: 10 })).toBe(2 + 2_490);
  const left = await db.query(
    `SELECT webhook_id AS id, count(*)::integer AS count, min(attempt) AS first FROM webhook_delivery GROUP BY 1 ORDER BY 2`,
  );
  expect(left).toEqual([
    { id: quiet.id, count: 3, first: 1 },
    { id: busy.id, count: 10, first: 2_491 },
  ]);
  expect(await expireDeliveries(context, { days: 7, perWebhook: 10 })).toBe(0);
});

test('removes secrets whose time is over, and no other', async () => {
  const context = await createInstance();
  const { db } = context;
  const { id } = await hook(context, 'https://shop.example/');
  for (const when of ['-1 second', '1 hour'])
    await db.query(
      `INSERT INTO webhook_secret (webhook_id, secret, expires_at) VALUES ($1, decode(repeat('00', 32), 'hex'), now() + $2::interval)`,
      [id, when],
    );
  expect(await expireDeliveries(context)).toBe(1);
  expect(await db.query(`SELECT FROM webhook_secret`)).toHaveLength(2);
});
