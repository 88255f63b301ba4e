import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { deleting, newCollection, type RunningApi, startApi } from '../support/api.js';
import { root } from '../support/program.js';

let running: RunningApi;
let guide: string;
beforeAll(async () => {
  for (const program of ['curl', 'jq']) {
    await promisify(execFile)(program, ['--version']).catch(() => {
      throw new Error(
        `There is no ${program}, which the guide's loop uses (Debian: apt-get install ${program}).`,
      );
    });
  }
  running = await startApi();
  guide = await readFile(join(root, 'docs/feed.md'), 'utf8');
});

/** The last block of this language on the page, which is the loop. */
const loopIn = (language: string) =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].at(-1)?.[1] ?? '';

interface Loop {
  language: string;
  /** The program, and the file that it runs. */
  program: [name: string, file: string];
  /** What has to be done to the text first. */
  compile?: (folder: string) => Promise<unknown>;
  /** The records of its copy. */
  read: (records: Records) => Record<string, unknown>;
}

type Records = Record<string, unknown> & Iterable<[string, unknown]>;

/** Compiles as the project does, so that types are checked too. */
const compile = (folder: string) =>
  promisify(execFile)(
    process.execPath,
    [
      ...[join(root, 'node_modules/typescript/bin/tsc'), 'loop.ts', '--strict', '--types', 'node'],
      ...['--typeRoots', join(root, 'node_modules/@types'), '--module', 'nodenext', '--target', 'es2022'],
    ],
    { cwd: folder },
  );

const loops: Loop[] = [
  { language: 'sh', program: ['bash', 'loop.sh'], read: (records) => records },
  {
    language: 'ts',
    program: [process.execPath, 'loop.js'],
    compile,
    read: (records) => Object.fromEntries(records),
  },
];

/** Starts a loop in this folder; it ends, with all that it started, when told to or with the test. */
async function startLoop({ program: [name, file] }: Loop, folder: string, collection: string) {
  const { port } = running.app.server.address() as AddressInfo;
  const child = spawn(name, [file], {
    cwd: folder,
    env: { PATH: process.env.PATH, V1: `http://127.0.0.1:${port}/v1`, COLLECTION: collection },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async () => {
    const isRunning = child.exitCode === null && child.signalCode === null;
    if (isRunning && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
  };
  onTestFinished(stop);
  return { stop, errors: () => errors };
}

test.each(loops)(
  'the loop in $language of docs/feed.md keeps a copy that is complete, also after a stop and an expired position',
  async (loop) => {
    const { call } = running;
    const { name, path, commit, remove, retain } = await newCollection(call, deleting);
    const folder = await mkdtemp(join(tmpdir(), 'feed-loop-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const committed = async () => {
      const { body } = await call.get(`${path}/records?limit=1000`).expect(200);
      return Object.fromEntries(
        body.items.map(({ key, data }: { key: string; data: unknown }) => [key, data]),
      );
    };
    const isEqual = (errors: () => string) =>
      vi.waitFor(
        async () => {
          const copy = JSON.parse(await readFile(join(folder, 'copy.json'), 'utf8'));
          expect(loop.read(copy.records), errors()).toEqual(await committed());
        },
        { timeout: 20_000, interval: 50 },
      );
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await writeFile(join(folder, `loop.${loop.language}`), loopIn(loop.language));
    await loop.compile?.(folder);
    for (const key of ['a', 'b "quoted"', 'ü/c']) await commit(key, { n: 1, price: 0.1 });

    const first = await startLoop(loop, folder, name);
    await isEqual(first.errors);
    await commit('a', { n: 2 });
    await remove('b "quoted"');
    await commit('d', { n: [1, { deep: null }] });
    await isEqual(first.errors);
    await first.stop();

    // What happens meanwhile is in the feed when it starts again.
    await commit('a', { n: 3 });
    await remove('d');
    const second = await startLoop(loop, folder, name);
    await isEqual(second.errors);
    await second.stop();

    // And when it is not any more, there is a new snapshot.
    await commit('a', { n: 4 });
    await commit('a', { n: 5 });
    await remove('ü/c');
    await retain();
    const third = await startLoop(loop, folder, name);
    await isEqual(third.errors);
    await commit('e', { n: 6 });
    await isEqual(third.errors);
    expect(third.errors()).toBe('');
  },
);
