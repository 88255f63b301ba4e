import { execFile } from 'node:child_process';
import { chmod, mkdir, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandLine, isRunning } from '../../src/store/embedded/process.js';
import { canPass } from '../../src/store/embedded/run-as.js';
import { createEmptyDatabase } from '../support/database.js';
import { postmasterPid, temporaryDirectory } from '../support/embedded.js';
import { NPM_START, type Program, root, startProgram } from '../support/program.js';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['scripts/build.mjs'], { cwd: root });
});

function hasEnded(pid: number): boolean {
  return !isRunning(pid) || commandLine(pid) === '';
}

async function put(baseUrl: string, path: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  return (await fetch(baseUrl + path, { method: 'PUT', headers, body: JSON.stringify(body) })).status;
}

async function commitOne(baseUrl: string): Promise<void> {
  expect(await put(baseUrl, '/v1/collections/prices', {})).toBe(201);
  const response = await fetch(`${baseUrl}/v1/commits`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      changes: [{ collection: 'prices', key: 'tea', operation: 'put', data: { price: 5 } }],
    }),
  });
  expect(response.status).toBe(200);
}

async function priceOf(baseUrl: string): Promise<unknown> {
  const response = await fetch(`${baseUrl}/v1/collections/prices/records/tea`);
  return ((await response.json()) as { data?: { price?: unknown } }).data?.price;
}

async function stopped(program: Program): Promise<number | null> {
  program.child.kill('SIGTERM');
  return program.exit();
}

describe('the started program', () => {
  test('npm start answers /readyz, ends on a SIGTERM to npm, and leaves nothing running', async () => {
    const dataDir = await temporaryDirectory();
    const program = startProgram({ DATA_DIR: dataDir }, { command: NPM_START });
    const baseUrl = await program.ready();
    expect((await fetch(`${baseUrl}/readyz`)).status).toBe(200);
    const server = await postmasterPid(dataDir);
    await stopped(program);
    expect(program.lines.map(({ msg }) => msg)).toContain('embedded PostgreSQL has stopped');
    expect(hasEnded(server)).toBe(true);
    await expect(fetch(`${baseUrl}/readyz`)).rejects.toThrow();
  });

  test('keeps its records over a stop, in a directory that only its owner may enter', async () => {
    const parent = join(await temporaryDirectory(), 'private');
    await mkdir(parent, { mode: 0o700 });
    const settings = { DATA_DIR: join(parent, 'data') };
    const first = startProgram(settings);
    await commitOne(await first.ready());
    expect(await stopped(first)).toBe(0);

    const second = startProgram(settings);
    expect(await priceOf(await second.ready())).toBe(5);
    expect(await stopped(second)).toBe(0);
  });

  test('takes over the server of a service that was killed', async () => {
    const dataDir = await temporaryDirectory();
    const first = startProgram({ DATA_DIR: dataDir });
    await commitOne(await first.ready());
    const server = await postmasterPid(dataDir);
    first.child.kill('SIGKILL');
    await first.exit();
    expect(hasEnded(server)).toBe(false);

    const second = startProgram({ DATA_DIR: dataDir });
    expect(await priceOf(await second.ready())).toBe(5);
    expect(await postmasterPid(dataDir)).toBe(server);
    expect(await stopped(second)).toBe(0);
    expect(hasEnded(server)).toBe(true);
  });

  test('recovers when it was killed together with its server', async () => {
    const dataDir = await temporaryDirectory();
    const first = startProgram({ DATA_DIR: dataDir });
    await commitOne(await first.ready());
    const server = await postmasterPid(dataDir);
    first.child.kill('SIGKILL');
    process.kill(server, 'SIGKILL');
    await first.exit();

    const second = startProgram({ DATA_DIR: dataDir });
    expect(await priceOf(await second.ready())).toBe(5);
    expect(await stopped(second)).toBe(0);
  });

  test('goes on serving when its server is killed', async () => {
    const dataDir = await temporaryDirectory();
    const program = startProgram({ DATA_DIR: dataDir });
    const baseUrl = await program.ready();
    await commitOne(baseUrl);
    process.kill(await postmasterPid(dataDir), 'SIGKILL');
    await program.line('guarded again');
    let price = await priceOf(baseUrl);
    while (price === undefined) {
      price = await priceOf(baseUrl);
    }
    expect(price).toBe(5);
    expect(await stopped(program)).toBe(0);
  });

  test('a second one for the same directory says so on one line, and harms nothing', async () => {
    const dataDir = await temporaryDirectory();
    const first = startProgram({ DATA_DIR: dataDir });
    const baseUrl = await first.ready();
    const second = startProgram({ DATA_DIR: dataDir });
    expect(await second.exit()).toBe(1);
    expect(second.errors()).toBe('');
    expect(second.lines.map(({ msg }) => msg)).toEqual([
      expect.stringMatching(`^Another service \\(process ${first.child.pid} on .*${dataDir}`),
    ]);
    expect((await fetch(`${baseUrl}/readyz`)).status).toBe(200);
    expect(await stopped(first)).toBe(0);
  });

  test('of two at the very same moment one runs and the other says so', async () => {
    const dataDir = await temporaryDirectory();
    const programs = [startProgram({ DATA_DIR: dataDir }), startProgram({ DATA_DIR: dataDir })];
    const loser = await Promise.race(
      programs.map(async (program) => {
        await program.exit();
        return program;
      }),
    );
    expect(await loser.exit()).toBe(1);
    expect(loser.lines.at(-1)?.msg).toContain('Another service');
    const [winner] = programs.filter((program) => program !== loser);
    const baseUrl = await winner?.ready();
    expect((await fetch(`${baseUrl}/readyz`)).status).toBe(200);
  });

  test('tells every wrong setting and ends with 2 before it touches anything', async () => {
    const dataDir = join(await temporaryDirectory(), 'data');
    const program = startProgram({ DATA_DIR: dataDir, HOST: '0.0.0.0', LOG_LEVEL: 'loud' });
    expect(await program.exit()).toBe(2);
    expect(program.errors()).toMatch(/LOG_LEVEL must be one of/);
    await expect(stat(dataDir)).rejects.toThrow('ENOENT');

    const open = startProgram({ DATA_DIR: dataDir, HOST: '0.0.0.0' });
    expect(await open.exit()).toBe(2);
    expect(open.errors()).toMatch(/AUTH_TOKENS must be set/);
  });

  test('a taken port is told with the way out, and the database does not stay behind', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const program = startProgram({ DATA_DIR: await temporaryDirectory(), PORT: String(port) });
    expect(await program.exit()).toBe(1);
    expect(program.lines.map(({ msg }) => msg)).toContain(
      `Cannot listen on 127.0.0.1, port ${port}: another program listens there. Stop it, or set PORT to another number (0 takes any free port)`,
    );
    expect(program.lines.at(-1)?.msg).toBe('embedded PostgreSQL has stopped');
    other.close();
  });

  test('several share one database by DATABASE_URL, and none of them starts a server', async () => {
    const database = await createEmptyDatabase();
    const dataDir = join(await temporaryDirectory(), 'data');
    const programs = [1, 2].map(() => startProgram({ DATABASE_URL: database.url, DATA_DIR: dataDir }));
    const [first, second] = await Promise.all(programs.map((program) => program.ready()));
    await commitOne(first ?? '');
    expect(await priceOf(second ?? '')).toBe(5);
    expect(await Promise.all(programs.map(stopped))).toEqual([0, 0]);
    await expect(stat(dataDir)).rejects.toThrow('ENOENT');
    await database.drop();
  });

  test('can be stopped while it waits for its database', async () => {
    const program = startProgram({ DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing' });
    await program.line('waiting for the database at 127.0.0.1:1/nothing');
    expect(await stopped(program)).toBe(0);
  });
});

if (isRoot && canPass(root, NOBODY, NOBODY)) {
  test('an ordinary user can start it as well', async () => {
    const parent = await temporaryDirectory();
    await chmod(parent, 0o777);
    const program = startProgram({ DATA_DIR: join(parent, 'data') }, { uid: NOBODY });
    expect((await fetch(`${await program.ready()}/readyz`)).status).toBe(200);
    expect(await stopped(program)).toBe(0);
    expect((await stat(join(parent, 'data', 'postgres'))).uid).toBe(NOBODY);
  });
}
