import { setImmediate as aMoment } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { leadWebhooks, type WebhookLead } from '../../src/commands/lead-webhooks.js';
import { replayWebhook } from '../../src/commands/replay-webhook.js';
import { type LaneOptions, WebhookLane } from '../../src/jobs/webhook-lane.js';
import type { WebhookEventsPage } from '../../src/queries/read-webhook-events.js';
import { Receiver } from '../support/receiver.js';
import { commitMany, hook, instancesWithThings, isDone, silent, untilView } from '../support/webhook-jobs.js';

/** One instance that leads, without lanes of its own. */
async function leading() {
  const [context] = await instancesWithThings(1);
  if (context === undefined) throw new Error('no instance');
  const receiver = await Receiver.start();
  const { id, view } = await hook(context, receiver.url);
  const controller = new AbortController();
  const lead = await new Promise<WebhookLead>((resolve) => {
    const ended = leadWebhooks(context, controller.signal, async (taken) => {
      resolve(taken);
      await new Promise((over) => taken.signal.addEventListener('abort', over));
    });
    onTestFinished(async () => {
      controller.abort();
      await ended;
    });
  });
  return { context, receiver, id, view, lead };
}

async function active(lead: WebhookLead) {
  const [webhook] = await lead.listWebhooks();
  if (webhook === undefined) throw new Error('no webhook');
  return webhook;
}

async function startLane(options: Omit<LaneOptions, 'logger'>) {
  const lane = new WebhookLane(await active(options.lead), { ...options, logger: silent });
  onTestFinished(async () => {
    lane.end();
    await lane.ended;
  });
  return lane;
}

test('a refusal of what it has read from is dropped once its owner has moved it elsewhere', async () => {
  const { context, receiver, id, view, lead } = await leading();
  const ids = await commitMany(context, 3);
  const head = Number(ids.at(-1)?.split('_')[1]);
  await context.db.query(`UPDATE collection SET horizon = $1`, [head - 1]);
  let reads = 0;
  const lane: WebhookLane = await startLane({
    context,
    lead,
    inTurn: async (read) => {
      reads += 1;
      try {
        return await read();
      } catch (error) {
        // Between its reading and what it makes of it.
        if (reads === 1) {
          await replayWebhook(context, { id, precondition: {}, after: head - 1 });
          lane.follow(await active(lead));
        }
        throw error;
      }
    },
  });
  expect(await untilView(view, (each) => isDone(each) || each.state === 'paused')).toMatchObject({
    state: 'active',
  });
  expect(receiver.received.map((each) => each.id)).toEqual(ids.slice(2));
});

test('it rests when what it has passed over does not count any more', async () => {
  const { context, lead } = await leading();
  await context.db.query(`UPDATE webhook SET key_prefix = 'other'`);
  await commitMany(context, 1);
  let reads = 0;
  const counted = new Promise<[boolean, number]>((resolve) => {
    const settle = async (...settlement: Parameters<WebhookLead['settle']>) => {
      const answer = await lead.settle(...settlement);
      resolve([answer, reads]);
      return answer;
    };
    void startLane({
      context,
      lead: { ...lead, settle },
      inTurn: (read) => {
        reads += 1;
        return read();
      },
    }).then(() => context.db.query(`UPDATE webhook SET turn = turn + 1`));
  });
  const [answer, before] = await counted;
  expect(answer).toBe(false);
  await aMoment();
  expect(reads).toBe(before);
});

test('what stands behind an event that takes long is let go, and sent once that is taken', async () => {
  const { context, receiver, view, lead } = await leading();
  let answer = () => {};
  receiver.react = ({ number }, response) => {
    if (number > 1) return 204;
    answer = () => response.writeHead(204).end();
    return undefined;
  };
  const ids = await commitMany(context, 5);
  const held: WeakRef<object>[] = [];
  await startLane({
    context,
    lead,
    inTurn: async (read) => {
      const page = await read();
      if (held.length === 0) for (const value of eventsOf(page).slice(1)) held.push(new WeakRef(value));
      return page;
    },
  });
  await receiver.until(({ received }) => received.length === 1);
  expect(held).toHaveLength(4);
  while (held.some((each) => each.deref() !== undefined)) {
    await aMoment();
    collectGarbage();
  }
  answer();
  await untilView(view, isDone);
  expect(receiver.received.map((each) => each.id)).toEqual(ids);
});

const eventsOf = (page: unknown) => (page as WebhookEventsPage).events;

setFlagsFromString('--expose_gc');
const collectGarbage: () => void = runInNewContext('gc');
