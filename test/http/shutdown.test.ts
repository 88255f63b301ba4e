import { expect, test } from 'vitest';
import { offlineApp } from './offline-app.js';

test('a process that shuts down is alive, and no longer ready', async () => {
  const { app, beginDrain, close } = await offlineApp();
  beginDrain();
  const ready = await app.inject({ url: '/readyz' });
  const live = await app.inject({ url: '/livez' });
  await close();
  expect([ready.statusCode, live.statusCode]).toEqual([503, 200]);
  expect(ready.json()).toMatchObject({ code: 'not-ready', checks: { process: 'shutting down' } });
});
