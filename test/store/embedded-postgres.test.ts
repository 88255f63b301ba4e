import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findBinaries } from '../../src/store/embedded/binaries.js';
import { ensureCluster } from '../../src/store/embedded/cluster.js';
import { findPostmaster, stopPostmaster } from '../../src/store/embedded/postmaster.js';
import { commandLine, isRunning } from '../../src/store/embedded/process.js';
import { canPass } from '../../src/store/embedded/run-as.js';
import {
  postmasterPid,
  query,
  queryWhenPossible,
  startServer,
  temporaryDirectory,
} from '../support/embedded.js';
import { attachIdleReader } from '../support/follower.js';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

function hasEnded(pid: number): boolean {
  return !isRunning(pid) || commandLine(pid) === '';
}

/** A process number that was in use and is free again. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid ?? 0;
}

/** A table that is published, and a reader of its changes that never confirms one. */
async function followIdly(url: string): Promise<{ ended: Promise<void> }> {
  await query(url, 'CREATE TABLE kept (n integer PRIMARY KEY); CREATE PUBLICATION diptych FOR TABLE kept');
  await query(url, `SELECT pg_create_logical_replication_slot('idle', 'pgoutput')`);
  const reader = await attachIdleReader(url, 'idle');
  await query(url, 'INSERT INTO kept VALUES (1)');
  return reader;
}

describe('the embedded PostgreSQL', () => {
  test('gives a database that loses nothing: UTF8, code point order, checksums, fsync', async () => {
    const { url } = await startServer(await temporaryDirectory());
    expect(new URL(url)).toMatchObject({ hostname: '127.0.0.1', pathname: '/diptych' });
    const names = [
      'server_encoding',
      'data_checksums',
      'fsync',
      'full_page_writes',
      'synchronous_commit',
      'TimeZone',
    ];
    const columns = names.map((name) => `current_setting('${name}') AS "${name}"`).join(', ');
    expect(await query(url, `SELECT ${columns}`)).toEqual([
      {
        server_encoding: 'UTF8',
        data_checksums: 'on',
        fsync: 'on',
        full_page_writes: 'on',
        synchronous_commit: 'on',
        TimeZone: 'UTC',
      },
    ]);
    expect(
      await query(
        url,
        `SELECT string_agg(c, '' ORDER BY c) AS sorted FROM unnest('{b,A,a,B,é}'::text[]) AS c`,
      ),
    ).toEqual([{ sorted: 'ABabé' }]);
  });

  test('can be followed by readers of change data capture, and bounds what it keeps for them', async () => {
    const { url } = await startServer(await temporaryDirectory());
    const settings = ['wal_level', 'max_slot_wal_keep_size'].map((name) => `current_setting('${name}')`);
    expect(await query(url, `SELECT ARRAY[${settings}] AS settings`)).toEqual([
      { settings: ['logical', '4GB'] },
    ]);
  });

  test('stops while somebody follows its log who confirms nothing, and keeps the place of that reader', async () => {
    const dataDir = await temporaryDirectory();
    const { url, stop } = await startServer(dataDir);
    const { ended } = await followIdly(url);
    await stop();
    await ended;
    const again = await startServer(dataDir);
    expect(await query(again.url, 'SELECT slot_name FROM pg_replication_slots')).toEqual([
      { slot_name: 'idle' },
    ]);
  });

  test('is stopped at once where such a reader is attached again, and recovers', async () => {
    const dataDir = await temporaryDirectory();
    const binaries = findBinaries();
    const { url } = await startServer(dataDir);
    const { ended } = await followIdly(url);
    const cluster = await ensureCluster(binaries, dataDir);
    const postmaster = await findPostmaster(cluster);
    if (postmaster === null) throw new Error('no server');
    // Without patience: the reader has not been sent away before.
    await stopPostmaster(binaries, cluster, postmaster, 0);
    await ended;
    expect(await queryWhenPossible(url, 'SELECT n FROM kept')).toEqual([{ n: 1 }]);
  });

  test('lets in nobody without the password, which only its owner can read', async () => {
    const dataDir = await temporaryDirectory();
    const url = new URL((await startServer(dataDir)).url);
    expect(modeOf(join(dataDir, 'postgres', 'password'))).toBe('600');
    expect(modeOf(join(dataDir, 'postgres', 'data'))).toBe('700');
    for (const password of ['', 'wrong']) {
      url.password = password;
      await expect(query(url.href, 'SELECT 1')).rejects.toThrow(/password/);
    }
  });

  test('keeps the data when it is stopped, and leaves no process and no lock file', async () => {
    const dataDir = await temporaryDirectory();
    const first = await startServer(dataDir);
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = await postmasterPid(dataDir);
    await first.stop();
    expect(hasEnded(pid)).toBe(true);
    expect(existsSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'))).toBe(false);

    const second = await startServer(dataDir);
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  test('runs in a directory that only its owner may enter, with blanks and accents in its name', async () => {
    const dataDir = join(await temporaryDirectory(), 'private é', 'data dir');
    await mkdir(join(dataDir, '..'), { recursive: true });
    await chmod(join(dataDir, '..'), 0o700);
    const { url } = await startServer(dataDir);
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('takes a second service for the same directory by whatever path as what it is, and harms nothing', async () => {
    const dataDir = await temporaryDirectory();
    const link = join(await temporaryDirectory(), 'link');
    await symlink(dataDir, link);
    const { url } = await startServer(dataDir);
    await expect(startServer(link)).rejects.toMatchObject({
      name: 'StartRefusal',
      message: expect.stringMatching(
        new RegExp(
          `^Another service \\(process ${process.pid} on .*Stop it, set DATA_DIR .*or set DATABASE_URL`,
        ),
      ),
    });
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('of several starts at the same moment in a new directory, one wins', async () => {
    const dataDir = await temporaryDirectory();
    const results = await Promise.allSettled([
      startServer(dataDir),
      startServer(dataDir),
      startServer(dataDir),
    ]);
    const started = results.filter((result) => result.status === 'fulfilled');
    const refusals = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason.message] : [],
    );
    expect(started).toHaveLength(1);
    expect(refusals).toEqual([
      expect.stringContaining('Another service'),
      expect.stringContaining('Another service'),
    ]);
    expect(readdirSync(dataDir)).toEqual(['postgres']);
  });

  test('removes what a dead attempt to initialise left, and not what another is working on', async () => {
    const dataDir = await temporaryDirectory();
    const dead = `postgres.attempt-${hostname()}-${await deadPid()}-aaaaaa`;
    const alive = `postgres.attempt-${hostname()}-${process.ppid}-bbbbbb`;
    const elsewhere = 'postgres.attempt-another-host-1-cccccc';
    for (const name of [dead, alive, elsewhere]) {
      mkdirSync(join(dataDir, name, 'data'), { recursive: true });
    }
    await startServer(dataDir);
    expect(readdirSync(dataDir).sort()).toEqual(['postgres', alive, elsewhere].sort());
  });

  test('starts although the lock file names a process that is somebody else now', async () => {
    const dataDir = await temporaryDirectory();
    const first = await startServer(dataDir);
    const lockFile = join(dataDir, 'postgres', 'data', 'postmaster.pid');
    const [, ...rest] = (await readFile(lockFile, 'utf8')).split('\n');
    await first.stop();
    const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    await once(bystander, 'spawn');
    try {
      writeFileSync(lockFile, [bystander.pid, ...rest].join('\n'));
      const { url } = await startServer(dataDir);
      expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(isRunning(bystander.pid ?? 0)).toBe(true);
    } finally {
      bystander.kill();
    }
  });

  test('takes the lock of the directory again when its session is ended', async () => {
    const dataDir = await temporaryDirectory();
    const { url } = await startServer(dataDir);
    const holder = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted`;
    const [before] = await query(url, holder);
    await query(url, `SELECT pg_terminate_backend(${before?.pid}, 5000)`);
    let [after] = await query(url, holder);
    while (after === undefined) {
      [after] = await query(url, holder);
    }
    expect(after.pid).not.toBe(before?.pid);
    await expect(startServer(dataDir)).rejects.toThrow('Another service');
  });

  test('is started again in the same place when its processes are killed, and has lost nothing', async () => {
    const dataDir = await temporaryDirectory();
    const server = await startServer(dataDir);
    await query(server.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = await postmasterPid(dataDir);
    process.kill(pid, 'SIGKILL');
    expect(await queryWhenPossible(server.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    const next = await postmasterPid(dataDir);
    expect(next).not.toBe(pid);
    await server.stop();
    expect(hasEnded(next)).toBe(true);
  });

  test('says in one line what is wrong when the server cannot start', async () => {
    const dataDir = await temporaryDirectory();
    await (await startServer(dataDir)).stop();
    await writeFile(join(dataDir, 'postgres', 'data', 'postgresql.auto.conf'), 'no_such_setting = 1\n');
    await expect(startServer(dataDir)).rejects.toMatchObject({
      name: 'StartRefusal',
      message: expect.stringMatching(/^[^\n]*did not start: [^\n]*no_such_setting[^\n]*DATABASE_URL[^\n]*$/),
    });
  });

  test('says what to do when the directory cannot be used', async () => {
    const file = join(await temporaryDirectory(), 'file');
    await writeFile(file, '');
    await expect(startServer(file)).rejects.toMatchObject({
      name: 'StartRefusal',
      message: expect.stringContaining('Set DATA_DIR to a directory that this user can write to'),
    });
  });
});

if (isRoot) {
  describe('the embedded PostgreSQL, started by root', () => {
    test('leaves the files to root when user namespaces are allowed', async () => {
      const dataDir = await temporaryDirectory();
      const { url } = await startServer(dataDir, { rootMethods: ['user namespace'] });
      expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
      expect(statSync(join(dataDir, 'postgres', 'data', 'PG_VERSION')).uid).toBe(0);
    });

    // In a checkout that only root may enter, no other user reaches the binaries either.
    if (canPass(dirname(findBinaries().postgres), NOBODY, NOBODY)) {
      test('runs as another user where they are not, and goes on with the data of either', async () => {
        const dataDir = await temporaryDirectory();
        await chmod(dataDir, 0o755);
        const first = await startServer(dataDir, { rootMethods: ['user namespace'] });
        await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
        await first.stop();
        const second = await startServer(dataDir, { rootMethods: ['other user'] });
        expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
        await second.stop();
        expect(statSync(join(dataDir, 'postgres', 'data')).uid).not.toBe(0);
        const third = await startServer(dataDir, { rootMethods: ['user namespace'] });
        expect(await query(third.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
      });

      test('stays with the ordinary user who owns the files', async () => {
        const dataDir = await temporaryDirectory();
        await chmod(dataDir, 0o755);
        await (await startServer(dataDir, { rootMethods: ['other user'] })).stop();
        const owner = statSync(join(dataDir, 'postgres')).uid;
        await startServer(dataDir);
        expect(statSync(join(dataDir, 'postgres')).uid).toBe(owner);
        expect(statSync(join(dataDir, 'postgres', 'data', 'postmaster.pid')).uid).toBe(owner);
      });
    } else {
      test('does not run as another user from a checkout that only root may enter, and says what to do', async () => {
        const dataDir = await temporaryDirectory();
        await chmod(dataDir, 0o755);
        await expect(startServer(dataDir, { rootMethods: ['other user'] })).rejects.toMatchObject({
          name: 'StartRefusal',
          message: expect.stringMatching(/Run as another user, set DATA_DIR .* or set DATABASE_URL/),
        });
      });
    }

    test('says what to do when no other user can reach the directory', async () => {
      const dataDir = join(await temporaryDirectory(), 'private');
      await mkdir(dataDir, { mode: 0o700 });
      await expect(startServer(dataDir, { rootMethods: ['other user'] })).rejects.toMatchObject({
        name: 'StartRefusal',
        message: expect.stringMatching(/Run as another user, set DATA_DIR .* or set DATABASE_URL/),
      });
      expect(readdirSync(dataDir)).toEqual([]);
    });
  });
}
