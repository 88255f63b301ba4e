import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, api } from '../support/api.js';
import { type OfflineApp, offlineApp } from './offline-app.js';

const TOKEN = 'a'.repeat(32);

let offline: OfflineApp;
let call: Api;

beforeAll(async () => {
  offline = await offlineApp({
    authTokens: [
      { actor: { name: 'ada', admin: false }, token: TOKEN },
      { actor: { name: 'root', admin: true }, token: 'b'.repeat(32) },
    ],
  });
  call = await api(offline.app);
});
afterAll(() => offline.close());

describe('with tokens', () => {
  test.each(['/v1/collections', '/v1/nothing', '/v1/commits?limit=x'])('%s needs one', async (path) => {
    const { headers, body } = await call.get(path).expect(401);
    expect(headers['www-authenticate']).toBe('Bearer realm="diptych"');
    expect(body.code).toBe('unauthenticated');
  });

  test('a path that is spelt otherwise needs one as well', async () => {
    const { statusCode } = await offline.app.inject({ url: '/%761/collections' });
    expect(statusCode).toBe(401);
  });

  test.each([
    'Basic YTpi',
    `Bearer ${'c'.repeat(32)}`,
    'Bearer',
    'Bearer ',
    `Bearer ${TOKEN} x`,
    TOKEN,
    'Bearer aaa',
  ])('Authorization: %s is 401', async (authorization) => {
    await call.get('/v1/collections').set('Authorization', authorization).expect(401);
  });

  // The database is away, so a caller who is let in gets 503.
  test.each([`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `Bearer  ${'b'.repeat(32)}`])(
    '%s is let in',
    async (authorization) => {
      await call.get('/v1/collections').set('Authorization', authorization).expect(503);
    },
  );

  test.each(['/livez', '/openapi.json', '/docs', '/problems', '/problems/unauthenticated'])(
    '%s needs none',
    async (path) => {
      await call.get(path).expect(200);
    },
  );

  test('a wrong method tells nothing without one', async () => {
    const { headers } = await call.post('/v1/collections').expect(401);
    expect(headers.allow).toBeUndefined();
  });
});
