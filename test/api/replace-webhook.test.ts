import { expect, test } from 'vitest';
import { newCollection, startApi } from '../support/api.js';
import { newWebhook, unknownWebhook } from '../support/webhooks.js';

const { call } = await startApi();
const url = 'https://other.example/hook';

test('200 replaces URL, description and filter, and nothing else', async () => {
  const things = await newCollection(call);
  const hook = await newWebhook(call, { description: 'old', keyPrefix: 'a' });
  const before = await hook.view();
  const { body, headers } = await call
    .put(hook.path)
    .set('If-Match', hook.tag)
    .send({ url, collection: things.name })
    .expect(200);
  expect(body).toEqual({ ...before, url, description: null, collection: things.name, keyPrefix: null });
  expect(headers.etag).toBe(await hook.tagNow());
  expect(headers.etag).not.toBe(hook.tag);
});

test('200 for a tag that is older than what was committed since, 412 for one that is older than a write', async () => {
  const things = await newCollection(call);
  const hook = await newWebhook(call);
  await things.commit('a', {});
  expect(await hook.tagNow()).not.toBe(hook.tag);
  await call.put(hook.path).set('If-Match', hook.tag).send({ url }).expect(200);
  const { body } = await call.put(hook.path).set('If-Match', hook.tag).send({ url }).expect(412);
  expect(body).toMatchObject({ code: 'precondition-failed', etag: await hook.tagNow() });
});

test('428 precondition-required without what was seen', async () => {
  const hook = await newWebhook(call);
  const { body } = await call.put(hook.path).send({ url }).expect(428);
  expect(body).toMatchObject({ code: 'precondition-required', etag: hook.tag });
});

test('422 and 404 refuse what could not be created, and leave it as it is', async () => {
  const hook = await newWebhook(call);
  const put = (content: object) => call.put(hook.path).set('If-Match', '*').send(content);
  expect((await put({ url: 'http://169.254.169.254/' }).expect(422)).body.code).toBe('webhook-url-refused');
  expect((await put({ url, collection: 'nowhere' }).expect(404)).body.code).toBe('collection-not-found');
  expect(await hook.tagNow()).toBe(hook.tag);
});

test('404 webhook-not-found', async () => {
  const { body } = await call.put(unknownWebhook).set('If-Match', '*').send({ url }).expect(404);
  expect(body.code).toBe('webhook-not-found');
});

test('400 for what is set at creation only', async () => {
  const hook = await newWebhook(call);
  const { body } = await call.put(hook.path).set('If-Match', '*').send({ url, after: 0 }).expect(400);
  expect(body.errors).toMatchObject([{ pointer: '/after', code: 'unknown-member' }]);
});
