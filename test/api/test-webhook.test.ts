import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { nothingAllowed, parseAllowList } from '../../src/domain/webhook-address.js';
import { startApi } from '../support/api.js';
import { Receiver } from '../support/receiver.js';
import { newWebhook, unknownWebhook } from '../support/webhooks.js';

const allow = parseAllowList('127.0.0.1') ?? nothingAllowed;
const { call, context } = await startApi({ webhooks: { allow, attemptTimeoutMs: 500 } });

test('200 tells what the receiver said to a signed event, also while paused; the position stays', async () => {
  const receiver = await Receiver.start((_, response) => {
    response.writeHead(202).end(`thanks${'!'.repeat(5_000)}`);
    return undefined;
  });
  const hook = await newWebhook(call, { url: receiver.url });
  await call.post(`${hook.path}/pause`).expect(200);
  const { position } = await hook.view();
  const { body } = await call.post(`${hook.path}/test`).expect(200);
  expect(body).toMatchObject({ delivered: true, status: 202, error: null });
  expect(body.answer).toBe(`thanks${'!'.repeat(994)}`);
  const [received] = receiver.received;
  expect(received?.id).toBe(body.event);
  const event = new Webhook(hook.secret).verify(
    received?.body ?? '',
    received?.headers as Record<string, string>,
  );
  expect(event).toMatchObject({ specversion: '1.0', id: body.event, type: 'diptych.webhook.test' });
  expect((await hook.view()).position).toBe(position);
  const log = await call.get(`${hook.path}/deliveries`).expect(200);
  expect(log.body.items).toMatchObject([{ event: body.event, attempt: 1, delivered: true, status: 202 }]);
});

test('200 tells of a receiver that fails, is silent, or is not there', async () => {
  const receiver = await Receiver.start(() => 500);
  const hook = await newWebhook(call, { url: receiver.url });
  const outcome = async () => (await call.post(`${hook.path}/test`).expect(200)).body;
  expect(await outcome()).toMatchObject({ delivered: false, status: 500, error: { code: 'status-500' } });
  receiver.react = () => undefined;
  expect(await outcome()).toMatchObject({
    delivered: false,
    status: null,
    error: { code: 'timeout' },
    answer: null,
  });
  await receiver.kill();
  expect(await outcome()).toMatchObject({ delivered: false, error: { code: 'connection' } });
  // Tests are no attempts at an event.
  expect(await hook.view()).toMatchObject({ failures: 0, lastError: null });
});

test('200 tells that nothing is sent inside, once it is no longer allowed', async () => {
  const receiver = await Receiver.start();
  const { body } = await call.post('/v1/webhooks').send({ url: receiver.url }).expect(201);
  const fenced = await startApi();
  await fenced.db.query(
    `WITH w AS (INSERT INTO webhook (id, url, created_by, revision, ordinal) VALUES ($1, $2, 'ann', 0, 1) RETURNING id)
     INSERT INTO webhook_secret (webhook_id, secret) SELECT id, decode(repeat('00', 32), 'hex') FROM w`,
    [body.id, receiver.url],
  );
  const answer = await fenced.call.post(`/v1/webhooks/${body.id}/test`).expect(200);
  expect(answer.body).toMatchObject({ delivered: false, error: { code: 'private-address' } });
  expect(receiver.connections).toBe(0);
  // The control: where it is allowed it arrives.
  await call.post(`/v1/webhooks/${body.id}/test`).expect(200);
  expect(receiver.connections).toBe(1);
});

test('404 webhook-not-found', async () => {
  expect((await call.post(`${unknownWebhook}/test`).expect(404)).body.code).toBe('webhook-not-found');
  context.webhooks.poster.close();
});
