import { execFile } from 'node:child_process';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differenceOf, digestOf } from '../../scripts/demo/content.js';
import { type Service, startService } from '../../scripts/demo/service.js';
import { loadReleases } from '../../scripts/demo/spdx/releases.js';
import { Timeline } from '../../scripts/demo/timeline.js';
import { isFull } from '../support/size.js';
import { createCarelessProxy } from './careless-proxy.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const TIMEOUT_MS = 180_000;
/** 20,000 records take their time, one area of the web does not. */
const WHOLE_TIMEOUT_MS = 1_200_000;

const run = promisify(execFile);

/** Runs `npm run demo` as a newcomer does; a failure is an answer here, not an error. */
async function runDemo(...args: string[]): Promise<{ code: number; output: string }> {
  try {
    const { stdout, stderr } = await run('npm', ['run', '--silent', 'demo', '--', ...args], {
      cwd: root,
      maxBuffer: 64 * 1024 * 1024,
    });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

describe('the data of the demo', () => {
  test('the three releases are the ones that the story tells of', () => {
    const [first, second, third] = loadReleases().map(({ licences }) => licences);
    const sizes = [first, second, third].map((licences) => licences?.size);
    expect(sizes).toEqual([489, 637, 727]);
    const empty = new Map();
    const count = (difference: ReturnType<typeof differenceOf>) =>
      Object.values(difference).map((keys) => keys.length);
    expect(count(differenceOf(first ?? empty, second ?? empty))).toEqual([149, 1, 22]);
    expect(count(differenceOf(second ?? empty, third ?? empty))).toEqual([90, 0, 41]);
  });

  test('a list with a single licence of another release is recognised as a mixture', () => {
    const [first, second] = loadReleases();
    const mit = second?.licences.get('MIT');
    if (first === undefined || second === undefined || mit === undefined) {
      throw new Error('The releases are not installed');
    }
    const timeline = new Timeline();
    timeline.add({ name: 'first', revision: 2, state: first.licences, changeCount: 489 });
    timeline.add({ name: 'second', revision: 3, state: second.licences, changeCount: 172 });
    expect(timeline.explains({ revision: 2, digest: digestOf(first.licences) })).toBe(true);
    expect(timeline.explains({ revision: 3, digest: digestOf(first.licences) })).toBe(false);
    const mixture = digestOf(new Map(first.licences).set('MIT', mit));
    expect(timeline.knows(mixture)).toBe(false);
  });

  test('a list that shows a licence twice is recognised', () => {
    const [first] = loadReleases();
    const entries = [...(first?.licences ?? [])];
    expect(digestOf([...entries, ...entries.slice(0, 1)])).not.toBe(digestOf(entries));
  });
});

describe('npm run demo', () => {
  let service: Service;
  let careless: Server;

  beforeAll(async () => {
    await run('npm', ['run', '--silent', 'build'], { cwd: root });
    service = await startService(fileURLToPath(new URL('../../dist/main.js', import.meta.url)));
    careless = createCarelessProxy(service.url);
    await new Promise<void>((resolve) => careless.listen(0, '127.0.0.1', resolve));
  }, TIMEOUT_MS);

  afterAll(async () => {
    careless?.close();
    await service?.stop();
  }, TIMEOUT_MS);

  test(
    'from nothing, it shows three releases without a mixture and exits 0',
    async () => {
      const { code, output } = await runDemo();
      expect(output).toContain('claims held');
      expect(output).not.toContain('✗');
      expect(code).toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    'on browser compatibility data it shows a release go live, be undone and be copied, and exits 0',
    async () => {
      const part = isFull ? [] : ['--part', 'http'];
      const { code, output } = await runDemo('--data', 'browser-compat', ...part);
      expect(output).not.toContain('✗');
      expect(output).toContain('claims held');
      expect(output).toContain('imported into a second service');
      expect(code).toBe(0);
    },
    isFull ? WHOLE_TIMEOUT_MS : TIMEOUT_MS,
  );

  test(
    'what it does not know it refuses before it starts a service',
    async () => {
      for (const args of [
        ['--data', 'weather'],
        ['--part', 'css'],
        ['--data', 'browser-compat', '--part', 'x'],
      ]) {
        const { code, output } = await runDemo(...args);
        expect(output).toMatch(/The demo ended early: --(data|part)/);
        expect(output).not.toContain('Starting a service');
        expect(code).toBe(1);
      }
    },
    TIMEOUT_MS,
  );

  test(
    'against a running service it can run twice at once, and leaves what was there alone',
    async () => {
      const before = await collectionsOf(service.url);
      const runs = await Promise.all([runDemo('--url', service.url), runDemo('--url', service.url)]);
      for (const { code, output } of runs) {
        expect(output).toContain('claims held');
        expect(code).toBe(0);
      }
      const after = await collectionsOf(service.url);
      expect(after).toEqual(expect.arrayContaining(before));
      expect(after).toHaveLength(before.length + 2);
    },
    TIMEOUT_MS,
  );

  test(
    'against a service whose pages do not belong together it says so and exits 1',
    async () => {
      const { port } = careless.address() as AddressInfo;
      const { code, output } = await runDemo('--url', `http://127.0.0.1:${port}`);
      expect(output).toContain('✗ and not one character of the new one');
      expect(code).toBe(1);
    },
    TIMEOUT_MS,
  );

  test(
    'where nobody listens it says so and exits 1',
    async () => {
      const { code, output } = await runDemo('--url', 'http://127.0.0.1:1');
      expect(output).toContain('The demo ended early');
      expect(code).toBe(1);
    },
    TIMEOUT_MS,
  );
});

async function collectionsOf(url: string): Promise<string[]> {
  const response = await fetch(`${url}/v1/collections?limit=1000`);
  const { items } = (await response.json()) as { items: { name: string }[] };
  return items.map(({ name }) => name);
}
