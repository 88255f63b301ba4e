import { expect, test } from 'vitest';
import { startApi } from '../support/api.js';
import { newWebhook, unknownWebhook } from '../support/webhooks.js';

const { call, db } = await startApi();

const secretsOf = async (id: string) =>
  (
    await db.query<{ secret: Buffer }>(
      `SELECT secret FROM webhook_secret WHERE webhook_id = $1 ORDER BY id`,
      [id],
    )
  ).map(({ secret }) => `whsec_${secret.toString('base64')}`);

test('200 shows another secret this once, and keeps the one before for a day', async () => {
  const hook = await newWebhook(call);
  const { body, headers } = await call
    .post(`${hook.path}/rotate-secret`)
    .set('If-Match', hook.tag)
    .expect(200);
  expect(body.secret).toMatch(/^whsec_/);
  expect(body.secret).not.toBe(hook.secret);
  const hours = (Date.parse(body.previousExpiresAt) - Date.now()) / 3_600_000;
  expect(Math.round(hours)).toBe(24);
  expect(headers.etag).not.toBe(hook.tag);
  expect(await secretsOf(hook.id)).toEqual([hook.secret, body.secret]);
  const { text } = await call.get(hook.path).expect(200);
  for (const secret of [hook.secret, body.secret]) expect(text).not.toContain(secret);
});

test('200 ends the one before at once with no grace', async () => {
  const hook = await newWebhook(call);
  const { body } = await call.post(`${hook.path}/rotate-secret`).send({ graceHours: 0 }).expect(200);
  expect(await secretsOf(hook.id)).toEqual([body.secret]);
});

test('200 keeps few former ones, however often it is called', async () => {
  const hook = await newWebhook(call);
  const secrets: string[] = [];
  for (let time = 0; time < 7; time += 1)
    secrets.push((await call.post(`${hook.path}/rotate-secret`).expect(200)).body.secret);
  expect(await secretsOf(hook.id)).toEqual(secrets.slice(-5));
});

test('400 for a grace that is too long, 404 webhook-not-found', async () => {
  const hook = await newWebhook(call);
  await call.post(`${hook.path}/rotate-secret`).send({ graceHours: 169 }).expect(400);
  const { body } = await call.post(`${unknownWebhook}/rotate-secret`).expect(404);
  expect(body.code).toBe('webhook-not-found');
});
