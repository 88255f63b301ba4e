import type { Api } from './api.js';

export const webhooksUrl = '/v1/webhooks';

/** A webhook, and short ways to what tests need of it. */
export async function newWebhook(call: Api, content: object = {}) {
  const { body, headers } = await call
    .post(webhooksUrl)
    .send({ url: 'https://shop.example/hook', ...content })
    .expect(201);
  const path = `${webhooksUrl}/${body.id}`;
  return {
    id: String(body.id),
    path,
    secret: String(body.secret),
    tag: headers.etag ?? '',
    view: async () => (await call.get(path).expect(200)).body,
    tagNow: async () => (await call.get(path).expect(200)).headers.etag ?? '',
  };
}

export const unknownWebhook = `${webhooksUrl}/00000000-0000-4000-8000-000000000000`;
