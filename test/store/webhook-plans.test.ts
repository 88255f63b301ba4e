import { beforeAll, expect, test } from 'vitest';
import { type Db, type Executor, openDatabase, type Tx } from '../../src/store/db.js';
import {
  deleteOldAttempts,
  deleteSurplusAttempts,
  listAttempts,
} from '../../src/store/webhook-deliveries.js';
import { listSecrets } from '../../src/store/webhook-secrets.js';
import { findReceivers, settleWebhooks } from '../../src/store/webhook-sender.js';
import { listWebhooks } from '../../src/store/webhooks.js';
import { createTestDatabase } from '../support/database.js';
import { readingsOf } from '../support/plans.js';

const webhooks = 200;
const attemptsOfEach = 200;
const limit = 50;

let db: Db;
let ids: string[];

beforeAll(async () => {
  const database = await createTestDatabase();
  db = openDatabase({ url: database.url, poolSize: 2 });
  await db.query(
    `INSERT INTO webhook (url, created_by, revision, ordinal)
     SELECT 'https://shop.example/', 'ann', 1, 1 FROM generate_series(1, $1)`,
    [webhooks],
  );
  await db.query(
    `INSERT INTO webhook_secret (webhook_id, secret) SELECT id, decode(repeat('00', 32), 'hex') FROM webhook`,
  );
  await db.query(
    `INSERT INTO webhook_delivery (webhook_id, event_id, attempt, at, status, duration_ms)
     SELECT id, 'evt_1_1', 1, now(), 204, 1 FROM generate_series(1, $1), webhook`,
    [attemptsOfEach],
  );
  await db.query('ANALYZE');
  ids = (await listWebhooks(db, null, webhooks)).map(({ id }) => id);
  return async () => {
    await db.close();
    await database.drop();
  };
});

/** The most rows that any statement of `work` looks at, by the plan that a connection keeps. */
async function rowsOf(work: (tx: Tx) => Promise<unknown>): Promise<number> {
  const readings = await readingsOf(db, (executor: Executor) => {
    const send = (text: string, values?: unknown[]) =>
      void (text.startsWith('SET') || executor.query(text, values));
    return work({ ...executor, send } as unknown as Tx);
  });
  expect(readings.length).toBeGreaterThan(0);
  return Math.max(...readings.map(({ rows }) => rows));
}

const first = () => ids[0] ?? '';

test('what is sent for each event looks at the one endpoint, however many there are', async () => {
  expect(await rowsOf((tx) => findReceivers(tx, [{ webhookId: first(), turn: 1 }]))).toBeLessThanOrEqual(1);
  expect(await rowsOf((tx) => listSecrets(tx, first()))).toBeLessThanOrEqual(1);
  const attempt = { eventId: 'evt_2_1', attempt: 1, at: new Date(), status: 204, error: null, durationMs: 1 };
  const settlement = {
    webhookId: first(),
    turn: 1,
    position: { revision: 2, ordinal: 1 },
    failures: 0,
    error: null,
    retryMs: null,
    paused: null,
    attempt,
  };
  expect(await rowsOf((tx) => settleWebhooks(tx, [settlement]))).toBeLessThanOrEqual(2);
});

test('a page of the log looks at that page, and a page of endpoints too', async () => {
  expect(await rowsOf((tx) => listAttempts(tx, first(), null, limit))).toBeLessThanOrEqual(limit);
  expect(await rowsOf((tx) => listWebhooks(tx, null, limit))).toBeLessThanOrEqual(limit);
});

test('keeping the log within its bounds looks at what is kept of one endpoint at most', async () => {
  expect(await rowsOf((tx) => deleteOldAttempts(tx, 7, 1_000))).toBeLessThanOrEqual(1);
  const surplus = await rowsOf((tx) => deleteSurplusAttempts(tx, first(), limit, 10));
  expect(surplus).toBeLessThanOrEqual(limit + 1);
});
