import { describe, expect, test } from 'vitest';
import type { Context } from '../../src/commands/context.js';
import { leadWebhooks, type WebhookLead } from '../../src/commands/lead-webhooks.js';
import type { Settlement } from '../../src/domain/webhook-delivery.js';
import { openDatabase } from '../../src/store/db.js';
import { firstIdsOf, Receiver } from '../support/receiver.js';
import {
  commitMany,
  hook,
  instancesWithThings,
  isDone,
  startSending,
  untilView,
} from '../support/webhook-jobs.js';
import { startWire } from '../support/wire.js';

async function twoInstances(): Promise<[Context, Context]> {
  const [one, two] = await instancesWithThings(2);
  if (!one || !two) throw new Error('two instances are needed');
  return [one, two];
}

const lockFamily = 4720;

const ofSender = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = ${lockFamily} AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

/** Ends the session that holds the sender's lock, as the end of its process does; answers whether there was one. */
async function cutOff({ db }: Context): Promise<boolean> {
  return (await db.query(`SELECT pg_terminate_backend(pid) FROM (${ofSender}) AS sender`)).length > 0;
}

const forever = new AbortController().signal;

/** A lead that lasts until it is let go. */
async function takeLead(context: Context) {
  let take: (lead: WebhookLead) => void = () => {};
  let letGo: () => void = () => {};
  const taken = new Promise<WebhookLead>((resolve) => {
    take = resolve;
  });
  const over = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const ended = leadWebhooks(context, forever, async (lead) => {
    take(lead);
    await over;
  });
  const lead = await Promise.race([taken, ended]);
  return { lead: typeof lead === 'boolean' ? null : lead, letGo: () => letGo(), ended };
}

const moved = (webhookId: string, revision: number, turn = 1): Settlement => ({
  webhookId,
  turn,
  position: { revision, ordinal: 1 },
  failures: 0,
  error: null,
  retryMs: null,
  paused: null,
  attempt: null,
});

describe('of two instances', () => {
  test('one sends, and nothing is sent twice', async () => {
    const [one, two] = await twoInstances();
    const receiver = await Receiver.start();
    const { view } = await hook(one, receiver.url);
    startSending(one);
    startSending(two);
    const ids = await commitMany(two, 100);
    await untilView(view, isDone);
    expect(receiver.received.map(({ id }) => id)).toEqual(ids);
  });

  test('the other goes on when the session of the first ends; first deliveries stay in order', async () => {
    const [one, two] = await twoInstances();
    const receiver = await Receiver.start();
    const { view } = await hook(one, receiver.url);
    const ids = await commitMany(two, 120);
    startSending(one);
    startSending(two);
    for (const count of [20, 50, 80]) {
      await receiver.until(({ received }) => received.length >= count);
      while (!(await cutOff(two)));
    }
    await untilView(view, isDone);
    expect(firstIdsOf(receiver.taken)).toEqual(ids);
    // What was under way when the lead was lost may come twice, and no more.
    expect(receiver.received.length).toBeLessThanOrEqual(ids.length + 3);
  });

  test('one leads at a time', async () => {
    const [one, two] = await twoInstances();
    await hook(one, 'https://shop.example/');
    const first = await takeLead(one);
    expect((await takeLead(two)).lead).toBeNull();
    first.letGo();
    expect(await first.ended).toBe(true);
    const second = await takeLead(two);
    expect(second.lead).not.toBeNull();
    second.letGo();
    await second.ended;
  });

  test('one that has lost the lead without noticing moves nothing', async () => {
    const [one, two] = await twoInstances();
    const { id, view } = await hook(one, 'https://shop.example/');
    const { position } = await view();
    await commitMany(one, 3);
    const first = await takeLead(one);
    await cutOff(two);
    let second = await takeLead(two);
    // The server ends a session a moment after it was told to.
    while (second.lead === null) second = await takeLead(two);
    await expect(first.lead?.settle(moved(id, 3))).rejects.toMatchObject({ code: 'not-ready' });
    expect(first.lead?.lost.aborted).toBe(true);
    // Nor does it learn where an event would go.
    await expect(first.lead?.findReceiver({ webhookId: id, turn: 1 })).rejects.toMatchObject({
      code: 'not-ready',
    });
    expect((await view()).position).toBe(position);
    // The control: who has it does.
    expect(await second.lead?.settle(moved(id, 3))).toBe(true);
    expect((await view()).position).toBe('3.1');
    for (const lead of [first, second]) {
      lead.letGo();
      await lead.ended;
    }
  });
});

describe('the leader', () => {
  test('writes nothing of an earlier turn, and nothing of an endpoint that is gone', async () => {
    const [one] = await twoInstances();
    const { id, view } = await hook(one, 'https://shop.example/');
    const { position } = await view();
    const { lead, letGo, ended } = await takeLead(one);
    const attempt = {
      eventId: 'evt_9_1',
      attempt: 1,
      at: new Date(),
      status: 200,
      error: null,
      durationMs: 1,
    };
    expect(await lead?.settle({ ...moved(id, 9, 0), attempt })).toBe(false);
    expect((await view()).position).toBe(position);
    await one.db.query(`DELETE FROM webhook`);
    expect(await lead?.settle({ ...moved(id, 9), attempt })).toBe(false);
    letGo();
    await ended;
  });

  test('fails for one endpoint alone where the database refuses what it writes of it', async () => {
    const [one] = await twoInstances();
    const good = await hook(one, 'https://shop.example/');
    const bad = await hook(one, 'https://shop.example/');
    await commitMany(one, 3);
    const { lead, letGo, ended } = await takeLead(one);
    const outcomes = await Promise.allSettled([
      lead?.settle(moved(good.id, 3)),
      lead?.settle(moved(bad.id, 0)),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(lead?.lost.aborted).toBe(false);
    expect((await good.view()).position).toBe('3.1');
    letGo();
    await ended;
  });

  test('is given up when the server does not answer, however long the kernel would wait', async () => {
    const [one, two] = await twoInstances();
    const { id } = await hook(two, 'https://shop.example/');
    const wire = await startWire(one.db);
    const through = openDatabase({ url: wire.url, poolSize: 1 });
    const settings = { ...one.webhooks, beatMs: 5, beatAnswerMs: 100 };
    const { lead, ended, letGo } = await takeLead({ ...one, db: through, webhooks: settings });
    if (lead === null) throw new Error('nobody leads');
    expect(await lead.findReceiver({ webhookId: id, turn: 1 })).not.toBeNull();
    wire.goSilent();
    // What waits for its answer comes to an end with it.
    await expect(lead.findReceiver({ webhookId: id, turn: 1 })).rejects.toMatchObject({ code: 'not-ready' });
    expect(lead.lost.aborted).toBe(true);
    letGo();
    expect(await ended).toBe(true);
    wire.cut();
    await through.close();
  });

  test('is nobody while there is nothing to send to', async () => {
    const [one] = await twoInstances();
    expect((await takeLead(one)).lead).toBeNull();
  });

  test('ends its session with its lead', async () => {
    const [one, two] = await twoInstances();
    await hook(two, 'https://shop.example/');
    const { letGo, ended } = await takeLead(one);
    expect(await two.db.query(ofSender)).toHaveLength(1);
    letGo();
    await ended;
    expect(await two.db.query(ofSender)).toEqual([]);
  });
});
