import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import type { Context } from '../../src/commands/context.js';
import { deleteWebhook } from '../../src/commands/delete-webhook.js';
import { pauseWebhook } from '../../src/commands/pause-webhook.js';
import { replaceWebhook } from '../../src/commands/replace-webhook.js';
import { replayWebhook } from '../../src/commands/replay-webhook.js';
import { resumeWebhook } from '../../src/commands/resume-webhook.js';
import { rotateWebhookSecret } from '../../src/commands/rotate-webhook-secret.js';
import { type Received, Receiver } from '../support/receiver.js';
import {
  commit,
  commitMany,
  define,
  hook,
  instancesWithThings,
  isDone,
  silent,
  startSending,
  things,
  untilView,
} from '../support/webhook-jobs.js';

const precondition = {};
const ifAny = { ifMatch: { any: true as const } };
const idsOf = (all: Received[]) => all.map(({ id }) => id);

async function start(): Promise<{ context: Context; receiver: Receiver }> {
  const [context] = await instancesWithThings(1);
  if (context === undefined) throw new Error('no instance');
  return { context, receiver: await Receiver.start() };
}

/** Whether the signature of a delivery is by this secret. */
function isBy(secret: string, received: Received | undefined): boolean {
  try {
    new Webhook(secret).verify(received?.body ?? '', received?.headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}

describe('while it is being sent to', () => {
  test('a webhook that is paused gets nothing more, and everything once it is resumed', async () => {
    const { context, receiver } = await start();
    const { id, view } = await hook(context, receiver.url);
    const other = await hook(context, (await Receiver.start()).url);
    startSending(context);
    const before = await commitMany(context, 5);
    await untilView(view, isDone);
    await pauseWebhook(context, { id, precondition });
    const after = await commitMany(context, 5, 5);
    await untilView(other.view, isDone);
    expect(idsOf(receiver.received)).toEqual(before);
    expect(await view()).toMatchObject({ state: 'paused', lag: 5 });
    await resumeWebhook(context, { id, precondition });
    await untilView(view, isDone);
    expect(idsOf(receiver.received)).toEqual([...before, ...after]);
  });

  test('what is under way when it is paused counts', async () => {
    const { context, receiver } = await start();
    const { id, view } = await hook(context, receiver.url);
    const { promise: paused, resolve: go } = gate();
    receiver.react = (_, response) => {
      void paused.then(() => response.writeHead(204).end());
      return undefined;
    };
    startSending(context);
    await commitMany(context, 3);
    await receiver.until(({ received }) => received.length === 1);
    await pauseWebhook(context, { id, precondition });
    go();
    const { state } = await untilView(view, ({ lag }) => lag === 2);
    expect(state).toBe('paused');
    expect(receiver.received).toHaveLength(1);
  });

  test('resuming one that waits tries at once', async () => {
    const { context, receiver } = await start();
    context.webhooks.retry = { firstMs: 3_600_000, mostMs: 3_600_000 };
    receiver.react = () => 500;
    const { id, view } = await hook(context, receiver.url);
    startSending(context);
    const ids = await commitMany(context, 3);
    await untilView(view, ({ failures }) => failures === 1);
    receiver.react = () => 204;
    await resumeWebhook(context, { id, precondition });
    await untilView(view, isDone);
    expect(idsOf(receiver.received)).toEqual([ids[0], ...ids]);
  });

  test('a replay sends again under the same ids, and on from there; skipping leaves out', async () => {
    const { context, receiver } = await start();
    const { id, view } = await hook(context, receiver.url);
    const from = Number((await view()).position);
    startSending(context);
    const ids = await commitMany(context, 6);
    await untilView(view, isDone);
    await replayWebhook(context, { id, precondition, after: from + 2 });
    await untilView(view, isDone);
    expect(idsOf(receiver.received)).toEqual([...ids, ...ids.slice(2)]);
    await pauseWebhook(context, { id, precondition });
    const skipped = await commitMany(context, 4, 6);
    await replayWebhook(context, { id, precondition, after: from + 9 });
    expect(await view()).toMatchObject({ state: 'paused', lag: 1 });
    await resumeWebhook(context, { id, precondition });
    await untilView(view, isDone);
    expect(idsOf(receiver.received)).toEqual([...ids, ...ids.slice(2), ...skipped.slice(3)]);
  });

  test('what was under way before a replay does not undo it', async () => {
    const { context, receiver } = await start();
    const { id, view } = await hook(context, receiver.url);
    const from = Number((await view()).position);
    const { promise: moved, resolve: go } = gate();
    receiver.react = ({ number }, response) => {
      if (number !== 3) return 204;
      void moved.then(() => response.writeHead(204).end());
      return undefined;
    };
    startSending(context);
    const ids = await commitMany(context, 4);
    await receiver.until(({ received }) => received.length === 3);
    await replayWebhook(context, { id, precondition, after: from });
    go();
    await untilView(view, isDone);
    expect(idsOf(receiver.received)).toEqual([...ids.slice(0, 3), ...ids]);
  });

  test('another URL gets what the first has not taken, at once', async () => {
    const { context, receiver } = await start();
    context.webhooks.retry = { firstMs: 3_600_000, mostMs: 3_600_000 };
    const second = await Receiver.start();
    receiver.react = ({ number }) => (number === 1 ? 204 : 500);
    const { id, view } = await hook(context, receiver.url);
    startSending(context);
    const ids = await commitMany(context, 4);
    await untilView(view, ({ failures }) => failures === 1);
    const content = { url: second.url, description: null, collection: null, keyPrefix: null };
    await replaceWebhook(context, { id, precondition: ifAny, content });
    await untilView(view, isDone);
    expect(idsOf(receiver.received)).toEqual(ids.slice(0, 2));
    expect(idsOf(second.received)).toEqual(ids.slice(1));
  });

  test('another filter counts from the answer on: what is committed right after is sent by it', async () => {
    const { context, receiver } = await start();
    await define(context, 'prices');
    const { id, view } = await hook(context, receiver.url, { collection: things });
    // Seldom enough that the leader learns of the filter only after the commit.
    startSending(context, silent, { intervalMs: 300 });
    const before = await commitMany(context, 2);
    await untilView(view, isDone);
    const content = { url: receiver.url, description: null, collection: 'prices', keyPrefix: null };
    await replaceWebhook(context, { id, precondition: ifAny, content });
    const revision = await commit(context, 'a', {}, 'prices');
    await untilView(view, isDone);
    expect(idsOf(receiver.received)).toEqual([...before, `evt_${revision}_1`]);
  });

  test('a filter that was narrowed lets nothing more through of what it leaves out', async () => {
    const { context, receiver } = await start();
    const { id, view } = await hook(context, receiver.url);
    const { promise: narrowed, resolve: go } = gate();
    receiver.react = (_, response) => {
      void narrowed.then(() => response.writeHead(204).end());
      return undefined;
    };
    await commitMany(context, 3);
    const wanted = await commit(context, 'wanted', {});
    startSending(context, silent, { intervalMs: 300 });
    await receiver.until(({ received }) => received.length === 1);
    const content = { url: receiver.url, description: null, collection: null, keyPrefix: 'wanted' };
    await replaceWebhook(context, { id, precondition: ifAny, content });
    go();
    await untilView(view, isDone);
    expect(idsOf(receiver.received).slice(1)).toEqual([`evt_${wanted}_1`]);
  });

  test('a filter that leaves out the event that failed leaves nothing of its failures', async () => {
    const { context, receiver } = await start();
    context.webhooks.retry = { firstMs: 3_600_000, mostMs: 3_600_000 };
    receiver.react = () => 500;
    const { id, view } = await hook(context, receiver.url);
    startSending(context);
    await commitMany(context, 1);
    await untilView(view, ({ failures }) => failures === 1);
    const content = { url: receiver.url, description: null, collection: null, keyPrefix: 'wanted' };
    const { webhook } = await replaceWebhook(context, { id, precondition: ifAny, content });
    expect(webhook).toMatchObject({ state: 'active', failures: 0, lastError: null, nextAttemptAt: null });
  });

  test('where all that is ahead is passed over, there is no failure and no error', async () => {
    const { context, receiver } = await start();
    const { view } = await hook(context, receiver.url, { keyPrefix: 'wanted' });
    await commitMany(context, 1);
    await context.db.query(`UPDATE webhook SET failures = 7, last_error = '{}'`);
    startSending(context);
    expect(await untilView(view, ({ lag }) => lag === 0)).toMatchObject({ failures: 0, lastError: null });
  });

  test('one that is deleted gets nothing more', async () => {
    const { context, receiver } = await start();
    const { id, view } = await hook(context, receiver.url);
    const other = await hook(context, (await Receiver.start()).url);
    startSending(context);
    await commitMany(context, 2);
    await untilView(view, isDone);
    await deleteWebhook(context, { id, precondition });
    await commitMany(context, 3, 2);
    await untilView(other.view, isDone);
    expect(receiver.received).toHaveLength(2);
  });
});

test('neither the log nor what the service shows of a webhook has its secrets, or the address that it is sent to', async () => {
  const { context, receiver } = await start();
  receiver.react = ({ number }) => [500, undefined, 302, 410][number - 1];
  context.webhooks.attemptTimeoutMs = 20;
  const { id, view, secret } = await hook(context, `${receiver.url}?token=very-secret`);
  const { secret: second } = await rotateWebhookSecret(context, { id, precondition, graceHours: 24 });
  const lines: string[] = [];
  const job = startSending(context, pino({ level: 'trace' }, { write: (line) => lines.push(line) }));
  await commitMany(context, 1);
  await untilView(view, ({ state }) => state === 'paused');
  await job.stop();
  const log = lines.join('');
  const shown = JSON.stringify([await view(), await context.db.query(`SELECT * FROM webhook_delivery`)]);
  expect(receiver.received).toHaveLength(4);
  expect(log).toMatch(/a webhook fails.*a webhook was paused/s);
  for (const each of [secret, second]) {
    const forms = [each, each.slice(6), Buffer.from(each.slice(6), 'base64').toString('hex')];
    for (const form of forms) expect(log + shown).not.toContain(form);
  }
  expect(log).not.toContain('very-secret');
});

describe('after its secret was rotated', () => {
  test('both sign for the grace period, and then the new one alone', async () => {
    const { context, receiver } = await start();
    const { id, view, secret: first } = await hook(context, receiver.url);
    startSending(context);
    await commitMany(context, 1, 0);
    await untilView(view, isDone);
    const { secret: second } = await rotateWebhookSecret(context, { id, precondition, graceHours: 24 });
    await commitMany(context, 1, 1);
    await untilView(view, isDone);
    await context.db.query(`UPDATE webhook_secret SET expires_at = now() WHERE expires_at IS NOT NULL`);
    await commitMany(context, 1, 2);
    await untilView(view, isDone);
    const signers = receiver.received.map((each) => [isBy(first, each), isBy(second, each)]);
    expect(signers).toEqual([
      [true, false],
      [true, true],
      [false, true],
    ]);
    const signatures = receiver.received.map(
      ({ headers }) => String(headers['webhook-signature']).split(' ').length,
    );
    expect(signatures).toEqual([1, 2, 1]);
  });

  test('a secret that has leaked signs nothing more', async () => {
    const { context, receiver } = await start();
    const { id, view, secret: leaked } = await hook(context, receiver.url);
    startSending(context);
    const { secret } = await rotateWebhookSecret(context, { id, precondition, graceHours: 0 });
    await commitMany(context, 1);
    await untilView(view, isDone);
    expect([isBy(leaked, receiver.received[0]), isBy(secret, receiver.received[0])]).toEqual([false, true]);
  });
});

function gate() {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
