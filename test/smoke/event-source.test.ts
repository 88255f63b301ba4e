import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { newCollection, startApi } from '../support/api.js';
import { launchBrowser } from '../support/browser.js';

const { app, call } = await startApi();
const browser = await launchBrowser();
afterAll(() => browser.close());

/** What the page keeps for the test. */
interface Told {
  told: { id: string; key: string }[];
}

test('EventSource of a real browser goes on where it was after its connection is cut', async () => {
  const { name, commit } = await newCollection(call);
  const { port } = app.server.address() as AddressInfo;
  const asked: (string | undefined)[] = [];
  app.server.on('request', ({ url, headers }) => {
    if (url?.startsWith('/v1/changes')) asked.push(headers['last-event-id']?.toString());
  });
  const page = await browser.newPage();
  // A page of the same origin, which may connect to it.
  await page.goto(`http://127.0.0.1:${port}/docs`);
  const first = await commit('a', {});
  await page.evaluate(
    (url) => {
      const told: Told['told'] = [];
      Object.assign(globalThis, { told });
      new EventSource(url).addEventListener('change', (event) => {
        const { data, lastEventId } = event as MessageEvent;
        told.push({ id: lastEventId, key: JSON.parse(data).key });
      });
    },
    `/v1/changes?collection=${name}&after=${first - 1}`,
  );
  const untilTold = (count: number) =>
    page.waitForFunction((wanted) => (globalThis as unknown as Told).told.length >= wanted, count);
  const second = await commit('b', {});
  await untilTold(2);

  app.server.closeAllConnections();
  const third = await commit('c', {});
  await untilTold(3);
  const fourth = await commit('d', {});
  await untilTold(4);
  expect(await page.evaluate(() => (globalThis as unknown as Told).told)).toEqual([
    { id: String(first), key: 'a' },
    { id: String(second), key: 'b' },
    { id: String(third), key: 'c' },
    { id: String(fourth), key: 'd' },
  ]);
  expect(asked).toEqual([undefined, String(second)]);
});
