import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandLine, isRunning } from '../../src/store/embedded/process.js';
import { postmasterPid, temporaryDirectory } from '../support/embedded.js';
import { holdRequest, root, startProgram } from '../support/program.js';

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['scripts/build.mjs'], { cwd: root });
});

function hasEnded(pid: number): boolean {
  return !isRunning(pid) || commandLine(pid) === '';
}

const DEFINITION = '{"title":"Prices"}';
const HEAD = 'PUT /v1/collections/prices HTTP/1.1';

describe('a stop', () => {
  test('a request in flight is answered, new ones are refused, then everything ends with 0', async () => {
    const dataDir = await temporaryDirectory();
    const program = startProgram({ DATA_DIR: dataDir, SHUTDOWN_TIMEOUT_SECONDS: '60' });
    const baseUrl = await program.ready();
    const server = await postmasterPid(dataDir);
    const held = await holdRequest(baseUrl, HEAD, DEFINITION.length);
    program.child.kill('SIGTERM');
    await program.line('stopping');
    await expect(refused(baseUrl)).resolves.toBe(true);

    expect(await held.finish(DEFINITION)).toMatch(/^HTTP\/1\.1 201 /);
    expect(await program.exit()).toBe(0);
    expect(hasEnded(server)).toBe(true);
    expect(program.lines.filter(({ level }) => level >= 40)).toEqual([]);
  });

  test('a long poll is answered at once with what there is', async () => {
    const program = startProgram({ DATA_DIR: await temporaryDirectory(), LOG_LEVEL: 'debug' });
    const baseUrl = await program.ready();
    const poll = fetch(`${baseUrl}/v1/changes?after=0&wait=60`);
    // Requests are taken in the order in which their connections were made, so the poll is in by now.
    await fetch(`${baseUrl}/livez`);
    program.child.kill('SIGTERM');
    const response = await poll;
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ changes: [], head: 0 });
    expect(await program.exit()).toBe(0);
  });

  test('waits for requests in flight no longer than SHUTDOWN_TIMEOUT_SECONDS', async () => {
    const dataDir = await temporaryDirectory();
    const program = startProgram({ DATA_DIR: dataDir, SHUTDOWN_TIMEOUT_SECONDS: '1' });
    const baseUrl = await program.ready();
    const server = await postmasterPid(dataDir);
    await holdRequest(baseUrl, HEAD, DEFINITION.length);
    program.child.kill('SIGTERM');
    await program.line('cut off');
    expect(await program.exit()).toBe(0);
    expect(hasEnded(server)).toBe(true);
  });

  test('a second signal ends the waiting, and the database still stops', async () => {
    const dataDir = await temporaryDirectory();
    const program = startProgram({ DATA_DIR: dataDir, SHUTDOWN_TIMEOUT_SECONDS: '3600' });
    const baseUrl = await program.ready();
    const server = await postmasterPid(dataDir);
    await holdRequest(baseUrl, HEAD, DEFINITION.length);
    program.child.kill('SIGINT');
    await program.line('stopping');
    // Signals that come together count as one, so somebody who means it asks again.
    const insist = setInterval(() => program.child.kill('SIGINT'), 50);
    expect(await program.exit()).toBe(0);
    clearInterval(insist);
    expect(program.lines.map(({ msg }) => msg)).toContain(
      'requests were still in flight and have been cut off',
    );
    expect(hasEnded(server)).toBe(true);
  });

  test('one Ctrl-C that arrives twice, from the terminal and from npm, still drains', async () => {
    const program = startProgram({ DATA_DIR: await temporaryDirectory(), SHUTDOWN_TIMEOUT_SECONDS: '60' });
    const held = await holdRequest(await program.ready(), HEAD, DEFINITION.length);
    program.child.kill('SIGINT');
    program.child.kill('SIGINT');
    await program.line('stopping');
    expect(await held.finish(DEFINITION)).toMatch(/^HTTP\/1\.1 201 /);
    expect(await program.exit()).toBe(0);
  });

  test('an error that nobody caught is logged once, and everything ends with 1', async () => {
    const dataDir = await temporaryDirectory();
    const plant = `process.on('SIGUSR2', () => { throw new Error('planted'); })`;
    const program = startProgram({
      DATA_DIR: dataDir,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(plant)}`,
    });
    await program.ready();
    const server = await postmasterPid(dataDir);
    program.child.kill('SIGUSR2');
    expect(await program.exit()).toBe(1);
    expect(program.lines.filter((line) => JSON.stringify(line).includes('planted'))).toHaveLength(1);
    expect(hasEnded(server)).toBe(true);
  });
});

/** True once the service takes no connections any more. */
async function refused(baseUrl: string): Promise<boolean> {
  for (;;) {
    try {
      const response = await fetch(`${baseUrl}/readyz`, { headers: { connection: 'close' } });
      expect(response.status).toBe(503);
    } catch (error) {
      if (error instanceof TypeError) {
        return true;
      }
      throw error;
    }
  }
}
