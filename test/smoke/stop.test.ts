import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandLine, isRunning } from '../../src/store/embedded/process.js';
import { postmasterPid, temporaryDirectory } from '../support/embedded.js';
import { holdRequest, root, startProgram } from '../support/program.js';

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['scripts/build.mjs'], { cwd: root });
});

/** Sends a request of no body, and reads its answer only when it is asked for: then to the end of the connection. */
function openRequest(baseUrl: string, line: string) {
  const socket = connect(Number(new URL(baseUrl).port), '127.0.0.1');
  socket.write(`${line}\r\nHost: localhost\r\n\r\n`);
  const answer = async () => {
    let text = '';
    socket.setEncoding('latin1');
    for await (const chunk of socket) text += chunk;
    return text;
  };
  return { socket, answer };
}

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

  test('an answer that is on its way arrives whole, and who has sent nothing is not waited for', async () => {
    const program = startProgram({ DATA_DIR: await temporaryDirectory(), SHUTDOWN_TIMEOUT_SECONDS: '60' });
    const baseUrl = await program.ready();
    const write = (path: string, method: string, body: object) =>
      fetch(baseUrl + path, {
        method,
        headers: { 'Content-Type': 'application/json', Connection: 'close' },
        body: JSON.stringify(body),
      });
    await write('/v1/collections/large', 'PUT', {});
    const changes = Array.from({ length: 100 }, (_, index) => ({
      operation: 'put',
      collection: 'large',
      key: `k${index}`,
      data: { text: 'x'.repeat(100_000) },
    }));
    await write('/v1/commits', 'POST', { changes });
    const silent = connect(Number(new URL(baseUrl).port), '127.0.0.1');
    await once(silent, 'connect');
    const { socket, answer } = openRequest(baseUrl, 'GET /v1/collections/large/records?limit=100 HTTP/1.1');
    // The first of it has come, and nobody reads the rest for now.
    await once(socket, 'readable');
    program.child.kill('SIGTERM');
    await program.line('stopping');
    await once(silent, 'close');
    const text = await answer();
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
    expect(text.length - text.indexOf('\r\n\r\n') - 4).toBe(length);
    expect(length).toBeGreaterThan(10_000_000);
    expect(await program.exit()).toBe(0);
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
