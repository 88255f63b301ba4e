import { once } from 'node:events';
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { describe, expect, onTestFinished, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { ann } from '../support/context.js';
import { firstIdsOf, Receiver } from '../support/receiver.js';
import {
  commit,
  commitMany,
  define,
  hook,
  instancesWithThings,
  isDone,
  startSending,
  things,
  untilView,
} from '../support/webhook-jobs.js';

const idsOf = (all: { id: string }[]) => all.map(({ id }) => id);

async function oneInstance(
  ...settings: Parameters<typeof instancesWithThings> extends [number, ...infer R] ? R : never
) {
  const [context] = await instancesWithThings(1, ...settings);
  if (context === undefined) throw new Error('no instance');
  return context;
}

describe('what is sent', () => {
  test('is each change once, in order, signed, as a CloudEvent with both records', async () => {
    const context = await oneInstance();
    const receiver = await Receiver.start();
    const { secret, view } = await hook(context, receiver.url);
    startSending(context);
    const revision = await commit(context, 'a', { n: 1 });
    await commit(context, 'a', { n: 2 });
    await commitChanges(context, {
      changes: [
        { collection: things, key: 'a', operation: 'delete' },
        { collection: things, key: 'b', operation: 'put', data: {} },
      ],
      dryRun: false,
      actor: ann,
    });
    await untilView(view, isDone);
    const verified = receiver.taken.map(({ body, headers }) =>
      new Webhook(secret).verify(body, headers as Record<string, string>),
    );
    expect(verified).toMatchObject([
      {
        type: 'diptych.record.created',
        id: `${revision}.1`,
        data: { before: null, after: { data: { n: 1 } } },
      },
      {
        specversion: '1.0',
        type: 'diptych.record.updated',
        source: '/v1/collections/things',
        subject: 'a',
        data: { before: { version: 1, data: { n: 1 } }, after: { version: 2, data: { n: 2 } } },
      },
      { type: 'diptych.record.deleted', subject: 'a' },
      { type: 'diptych.record.created', subject: 'b' },
    ]);
    const next = (ordinal: number, behind: number) => `evt_${revision + behind}_${ordinal}`;
    expect(idsOf(receiver.received)).toEqual([next(1, 0), next(1, 1), next(1, 2), next(2, 2)]);
    expect(receiver.received[0]?.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    const other = (await hook(context, receiver.url)).secret;
    const [first] = receiver.taken;
    expect(() =>
      new Webhook(other).verify(first?.body ?? '', first?.headers as Record<string, string>),
    ).toThrow();
    expect(await view()).toMatchObject({ state: 'active', position: String(revision + 2), lastError: null });
  });

  test('is what the filter lets pass; the position moves past the rest', async () => {
    const context = await oneInstance();
    await define(context, 'others');
    const receiver = await Receiver.start();
    const { view } = await hook(context, receiver.url, { collection: things, keyPrefix: 'a/' });
    startSending(context);
    await commit(context, 'a/1', {});
    await commit(context, 'b', {});
    const last = await commit(context, 'a/2', {}, 'others');
    const done = await untilView(view, ({ position }) => position === String(last));
    expect(done).toMatchObject({ lag: 0 });
    expect(receiver.received.map(({ body }) => JSON.parse(body).subject)).toEqual(['a/1']);
  });

  test('is what came while nobody was sending, from where it stopped', async () => {
    const context = await oneInstance();
    const receiver = await Receiver.start();
    const { view } = await hook(context, receiver.url);
    const first = await commitMany(context, 60);
    const job = startSending(context);
    await untilView(view, isDone);
    await job.stop();
    const second = await commitMany(context, 5);
    startSending(context);
    await untilView(view, isDone);
    expect(idsOf(receiver.received)).toEqual([...first, ...second]);
  });
});

describe('a receiver that fails', () => {
  test('gets the same event again until it takes it, and then the backlog at once', async () => {
    const context = await oneInstance();
    const receiver = await Receiver.start(({ number }) => (number <= 5 ? 500 : 200));
    const { view } = await hook(context, receiver.url);
    const ids = await commitMany(context, 20);
    startSending(context);
    await untilView(view, isDone);
    expect(idsOf(receiver.received)).toEqual([...Array(5).fill(ids[0]), ...ids]);
    // The first event needed several attempts; the body is the same, the timestamp its own.
    expect(new Set(receiver.received.slice(0, 6).map(({ body }) => body)).size).toBe(1);
  });

  test('shows what went wrong and when it is tried again, and is not skipped', async () => {
    const context = await oneInstance({ retry: { firstMs: 3_600_000, mostMs: 3_600_000 } });
    const receiver = await Receiver.start(() => 503);
    const { view } = await hook(context, receiver.url);
    startSending(context);
    await commitMany(context, 2);
    const failing = await untilView(view, ({ failures }) => failures === 1);
    expect(failing).toMatchObject({
      state: 'failing',
      lag: 2,
      lastError: { code: 'status-503', status: 503 },
      nextAttemptAt: expect.any(String),
    });
    expect(receiver.received).toHaveLength(1);
  });

  test('is left alone for as long as Retry-After says, within bounds', async () => {
    const context = await oneInstance({ retry: { firstMs: 1, mostMs: 3_600_000 } });
    const receiver = await Receiver.start((_, response) => {
      response.setHeader('Retry-After', '86400');
      return 429;
    });
    const { view } = await hook(context, receiver.url);
    startSending(context);
    await commit(context, 'a', {});
    const { nextAttemptAt } = await untilView(view, ({ failures }) => failures === 1);
    const waitMs = Date.parse(nextAttemptAt ?? '') - Date.now();
    expect(waitMs).toBeGreaterThan(3_000_000);
    expect(waitMs).toBeLessThanOrEqual(3_600_000);
  });

  test('that is dead slows no other', async () => {
    const context = await oneInstance();
    const dead = await Receiver.start(() => undefined);
    const [first, second] = [await Receiver.start(), await Receiver.start()];
    const stuck = await hook(context, dead.url);
    await hook(context, 'http://127.0.0.1:1/refused');
    const views = [(await hook(context, first.url)).view, (await hook(context, second.url)).view];
    startSending(context);
    const ids = await commitMany(context, 30);
    await dead.until(({ received }) => received.length === 1);
    for (const view of views) await untilView(view, isDone);
    expect([idsOf(first.received), idsOf(second.received)]).toEqual([ids, ids]);
    // One in flight, and nothing behind it.
    expect(dead.received).toHaveLength(1);
    expect(await stuck.view()).toMatchObject({ lag: 30 });
  });

  test('that does not answer in time has failed', async () => {
    const context = await oneInstance({ attemptTimeoutMs: 20 });
    const receiver = await Receiver.start(({ number }) => (number === 1 ? undefined : 200));
    const { view } = await hook(context, receiver.url);
    await commit(context, 'a', {});
    startSending(context);
    await untilView(view, isDone);
    expect(receiver.received).toHaveLength(2);
    const errors = await context.db.query(`SELECT attempt, status, error FROM webhook_delivery ORDER BY id`);
    expect(errors).toEqual([
      { attempt: 1, status: null, error: 'timeout' },
      { attempt: 2, status: 200, error: null },
    ]);
  });

  test('with 410 wants no more: it is paused', async () => {
    const context = await oneInstance();
    const receiver = await Receiver.start(() => 410);
    const { view } = await hook(context, receiver.url);
    startSending(context);
    await commitMany(context, 3);
    expect(await untilView(view, ({ state }) => state === 'paused')).toMatchObject({
      pausedBecause: 'gone',
      lag: 3,
      lastError: { code: 'status-410' },
      nextAttemptAt: null,
    });
    expect(receiver.received).toHaveLength(1);
  });

  test('is not followed elsewhere', async () => {
    const context = await oneInstance();
    const elsewhere = await Receiver.start();
    const receiver = await Receiver.start(({ number }, response) => {
      response.setHeader('Location', elsewhere.url);
      return [301, 302, 303, 307, 308][number - 1] ?? 200;
    });
    const { view } = await hook(context, receiver.url);
    startSending(context);
    await commit(context, 'a', {});
    await untilView(view, isDone);
    expect(receiver.received).toHaveLength(6);
    expect(elsewhere.connections).toBe(0);
  });

  test('with an answer without end has taken the event, and its connection is cut', async () => {
    const context = await oneInstance();
    const closed: Promise<void>[] = [];
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(200);
      const write = () => {
        while (response.write('x'.repeat(1024)));
      };
      response.on('drain', write);
      write();
      closed.push(new Promise((resolve) => response.on('close', resolve)));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { view } = await hook(context, `http://127.0.0.1:${port}/`);
    await commitMany(context, 2);
    startSending(context);
    await untilView(view, isDone);
    await Promise.all(closed);
    expect(closed).toHaveLength(2);
  });
});

test('events of one connection that is closed between them are not counted as failed', async () => {
  const context = await oneInstance();
  const receiver = await Receiver.start((_, response) => {
    // Closed as soon as the answer is out, without a word in its headers.
    response.on('finish', () => response.socket?.destroySoon());
    return 200;
  });
  const { view } = await hook(context, receiver.url);
  startSending(context);
  const ids = await commitMany(context, 30);
  await untilView(view, isDone);
  expect(firstIdsOf(receiver.received)).toEqual(ids);
  expect(await context.db.query(`SELECT FROM webhook_delivery WHERE error IS NOT NULL`)).toEqual([]);
});

describe('retention that overtakes the position', () => {
  test('pauses the webhook and says so; nothing is skipped in silence', async () => {
    const context = await oneInstance({});
    const receiver = await Receiver.start();
    const { id, view } = await hook(context, receiver.url);
    await commit(context, 'a', { n: 1 });
    const last = await commit(context, 'a', { n: 2 });
    await context.db.query(`UPDATE collection SET horizon = $1`, [last]);
    startSending(context);
    expect(await untilView(view, ({ state }) => state === 'paused')).toMatchObject({
      id,
      pausedBecause: 'position-expired',
      lastError: { code: 'position-expired' },
    });
    expect(receiver.received).toEqual([]);
  });
});
