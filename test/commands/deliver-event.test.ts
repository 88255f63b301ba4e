import { expect, test } from 'vitest';
import { deliverEvent } from '../../src/commands/deliver-event.js';
import { pauseWebhook } from '../../src/commands/pause-webhook.js';
import { replayWebhook } from '../../src/commands/replay-webhook.js';
import { findReceivers, type WebhookTurn } from '../../src/store/webhook-sender.js';
import { Receiver } from '../support/receiver.js';
import { hook, instancesWithThings } from '../support/webhook-jobs.js';

const { signal } = new AbortController();
const event = { id: 'evt_1_1', body: '{}', position: { revision: 1, ordinal: 1 } };

async function oneWebhook() {
  const [context] = await instancesWithThings(1);
  if (context === undefined) throw new Error('no instance');
  const receiver = await Receiver.start();
  const { id } = await hook(context, receiver.url);
  const lead = {
    lost: signal,
    findReceiver: async (asked: WebhookTurn) =>
      (await findReceivers(context.db, [asked])).get(asked.webhookId) ?? null,
  };
  const deliver = (turn = 1) => deliverEvent(context, { id, turn, failures: 2 }, event, lead);
  return { context, receiver, id, deliver };
}

test('an event that is taken moves the position, and counts its attempt', async () => {
  const { receiver, id, deliver } = await oneWebhook();
  expect(await deliver()).toMatchObject({
    webhookId: id,
    position: event.position,
    failures: 0,
    attempt: { eventId: 'evt_1_1', attempt: 3, status: 204, error: null },
  });
  expect(receiver.received).toHaveLength(1);
});

test('nothing is sent to a webhook that is paused, moved or gone, whoever has not heard of it yet', async () => {
  const { context, receiver, id, deliver } = await oneWebhook();
  await replayWebhook(context, { id, precondition: {}, after: 0 });
  expect(await deliver(1)).toBeNull();
  await pauseWebhook(context, { id, precondition: {} });
  expect(await deliver(2)).toBeNull();
  await context.db.query(`DELETE FROM webhook`);
  expect(await deliver(2)).toBeNull();
  expect(receiver.connections).toBe(0);
});
