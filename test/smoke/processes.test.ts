import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandLine, isRunning } from '../../src/store/embedded/process.js';
import { temporaryDirectory } from '../support/embedded.js';
import { type Program, root, startProgram } from '../support/program.js';

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['scripts/build.mjs'], { cwd: root });
});

const hasEnded = (pid: number) => !isRunning(pid) || commandLine(pid) === '';

/** Commits one record after another, each on a connection of its own, until two processes have answered. */
async function commitByTwo(
  program: Program,
  baseUrl: string,
): Promise<{ pids: number[]; revisions: number[] }> {
  const revisions: number[] = [];
  for (;;) {
    const response = await fetch(`${baseUrl}/v1/commits`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Connection: 'close' },
      body: JSON.stringify({
        changes: [{ collection: 'prices', key: `k${revisions.length}`, operation: 'put', data: { n: 1 } }],
      }),
    });
    expect(response.status).toBe(200);
    revisions.push(Number(response.headers.get('Diptych-Revision')));
    await program.line(`POST /v1/commits 200`);
    const pids = new Set(program.lines.filter(({ msg }) => msg.startsWith('POST')).map(({ pid }) => pid));
    if (pids.size === 2) return { pids: [...pids], revisions };
  }
}

describe('PROCESSES=2', () => {
  test('serves one port by two processes as one, replaces one that dies, and ends as a whole', async () => {
    const program = startProgram({ DATA_DIR: await temporaryDirectory(), PROCESSES: '2', LOG_LEVEL: 'info' });
    const baseUrl = await program.ready();
    expect(program.lines.filter(({ msg }) => msg.startsWith('Diptych is ready'))).toHaveLength(1);
    await fetch(`${baseUrl}/v1/collections/prices`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    });
    const { pids, revisions } = await commitByTwo(program, baseUrl);
    expect(pids).not.toContain(program.child.pid);
    // One log, whoever writes: the definition was 1.
    expect(revisions).toEqual(revisions.map((_, index) => index + 2));
    const last = await fetch(`${baseUrl}/v1/commits?limit=1`);
    expect(await last.json()).toMatchObject({ items: [{ revision: revisions.at(-1) }] });

    const [victim = 0] = pids;
    process.kill(victim, 'SIGKILL');
    await program.line('a worker has ended; another takes its place');
    expect((await fetch(`${baseUrl}/v1/collections/prices/records/k0`)).status).toBe(200);

    program.child.kill('SIGTERM');
    expect(await program.exit()).toBe(0);
    expect(pids.every(hasEnded)).toBe(true);
  });

  test('leaves no process behind when the first one is killed', async () => {
    const dataDir = await temporaryDirectory();
    const program = startProgram({ DATA_DIR: dataDir, PROCESSES: '2', LOG_LEVEL: 'info' });
    const baseUrl = await program.ready();
    await fetch(`${baseUrl}/v1/collections/prices`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    });
    const { pids } = await commitByTwo(program, baseUrl);
    program.child.kill('SIGKILL');
    // Its output ends when the last one that holds it does.
    await once(program.child, 'close');
    expect(pids.every(hasEnded)).toBe(true);
    // The database that it started is taken over, and everything is still there.
    const next = startProgram({ DATA_DIR: dataDir });
    expect((await fetch(`${await next.ready()}/v1/collections/prices/records/k0`)).status).toBe(200);
  });

  test('says why it cannot start, and ends', async () => {
    const first = startProgram({ DATA_DIR: await temporaryDirectory() });
    const { port } = new URL(await first.ready());
    const second = startProgram({ DATA_DIR: await temporaryDirectory(), PROCESSES: '2', PORT: port });
    expect(await second.exit()).toBe(1);
    expect(second.lines.map(({ msg }) => msg).join()).toContain('another program listens there');
  });
});
