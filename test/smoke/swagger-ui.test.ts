import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningApi, startApi } from '../support/api.js';
import { launchBrowser } from '../support/browser.js';

let api: RunningApi;
let browser: Browser;

beforeAll(async () => {
  api = await startApi();
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
});

/** Pictures for a person to look at, where SCREENSHOTS names a folder. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.SCREENSHOTS;
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Opens an operation, executes it with what is filled in (or what `fill` puts there), and answers the status. */
async function tryOut(page: Page, operation: string, fill: Record<string, string> = {}): Promise<string> {
  const block = page.locator(`.opblock[id$="-${operation}"]`);
  await block.locator('.opblock-summary-control').click();
  for (const [name, value] of Object.entries(fill)) {
    await block.locator(`tr[data-param-name="${name}"] input`).fill(value);
  }
  await block.locator('button.execute').click();
  const status = block.locator('.live-responses-table .response-col_status').nth(1);
  await status.waitFor();
  await block.scrollIntoViewIfNeeded();
  await picture(page, operation);
  const text = await status.innerText();
  await block.locator('.opblock-summary-control').click();
  return text.split('\n')[0]?.trim() ?? '';
}

describe('Swagger UI in a real browser', () => {
  test('shows the page, and takes a record through its life by clicking', async () => {
    const { port } = api.app.server.address() as AddressInfo;
    const origin = `http://127.0.0.1:${port}`;
    const page = await browser.newPage({ viewport: { width: 1300, height: 1500 } });
    const troubles: string[] = [];
    const elsewhere: string[] = [];
    page.on('console', (message) => message.type() === 'error' && troubles.push(message.text()));
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(origin) && !url.startsWith('data:') && !url.startsWith('blob:'))
        elsewhere.push(url);
    });

    await page.goto(`${origin}/docs`);
    await page.waitForSelector('.opblock');
    await picture(page, 'docs');
    expect(await page.title()).toContain('Diptych');
    expect(await page.locator('.opblock').count()).toBeGreaterThan(25);

    expect(await tryOut(page, 'putCollection')).toBe('201');
    expect(await tryOut(page, 'stagePending')).toBe('201');
    expect(await tryOut(page, 'validatePending')).toBe('200');
    expect(await tryOut(page, 'commitPending', { 'If-Match': '*' })).toBe('200');
    expect(await tryOut(page, 'getRecord')).toBe('200');

    // What the page did is what readers see.
    const read = await api.call.get('/v1/collections/products/records/espresso-machine').expect(200);
    expect(read.body).toMatchObject({ key: 'espresso-machine', version: 1 });
    expect(troubles).toEqual([]);
    expect(elsewhere).toEqual([]);
  });
});
