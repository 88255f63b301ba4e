import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { StartRefusal } from '../start-refusal.js';
import type { Binaries } from './binaries.js';
import { isRunning } from './process.js';
import { chooseRunner, type RootMethod, type Runner } from './run-as.js';

/** The superuser of the embedded PostgreSQL, and the name of its database. */
export const DATABASE_USER = 'diptych';

/** Where an initialised database cluster lies. */
export interface Cluster {
  /** Holds everything below; it appears complete or not at all. */
  home: string;
  /** The directory that PostgreSQL calls its data directory. */
  data: string;
  log: string;
  password: string;
}

const ABANDONED_AFTER_MS = 10 * 60 * 1000;

/**
 * Returns the cluster under `dataDir`, initialising it first when there is none. An attempt takes place in a
 * directory of its own that is renamed when complete, so that being killed half-way leaves no half cluster,
 * and of two attempts at the same moment one wins and both use it.
 * @throws StartRefusal when the directory cannot be used.
 */
export async function ensureCluster(
  binaries: Binaries,
  dataDir: string,
  rootMethods?: readonly RootMethod[],
): Promise<Cluster> {
  try {
    await mkdir(dataDir, { recursive: true });
    // One name for one directory, whatever links lead to it: a running server is recognised by this path.
    const home = join(await realpath(dataDir), 'postgres');
    await removeAbandonedAttempts(home);
    if (!existsSync(home)) {
      await initialise(binaries, home, rootMethods);
    }
    const password = (await readFile(join(home, 'password'), 'utf8')).trim();
    return { home, data: join(home, 'data'), log: join(home, 'postgres.log'), password };
  } catch (cause) {
    throw cause instanceof StartRefusal ? cause : unusable(dataDir, cause);
  }
}

function unusable(dataDir: string, cause: unknown): StartRefusal {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StartRefusal(
    `The data directory ${dataDir} cannot be used (${reason}). Set DATA_DIR to a directory that this user can ` +
      'write to, or set DATABASE_URL to a PostgreSQL server',
    { cause },
  );
}

async function initialise(
  binaries: Binaries,
  home: string,
  rootMethods: readonly RootMethod[] | undefined,
): Promise<void> {
  const attempt = await mkdtemp(attemptPrefix(home, process.pid));
  try {
    const passwordFile = join(attempt, 'password');
    await writeFile(passwordFile, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
    const runner = chooseRunner(binaries, attempt, rootMethods);
    runner.own(attempt);
    const { program, args } = runner.wrap(binaries.initdb, [
      `--pgdata=${join(attempt, 'data')}`,
      `--username=${DATABASE_USER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // Code point order on every machine; an operating system's locale may change under an index.
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      '--data-checksums',
      '--no-instructions',
    ]);
    await run(program, args, runner.options);
    await syncDirectory(attempt);
    await rename(attempt, home);
    await syncDirectory(dirname(home));
  } catch (error) {
    await rm(attempt, { recursive: true, force: true });
    if (!existsSync(home)) {
      throw error;
    }
    // Another start was quicker: its cluster serves as well.
  }
}

function run(program: string, args: string[], options: Runner['options']): Promise<void> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, {
      ...options,
      cwd: '/',
      env: childEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.once('error', fail);
    child.once('close', (code) => {
      if (code === 0) {
        done();
      } else {
        fail(new Error(`${basename(program)} failed: ${output.trim().split('\n').slice(-3).join(' | ')}`));
      }
    });
  });
}

/** What the programs need of the environment, and nothing that is secret or would configure PostgreSQL. */
export function childEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'LD_LIBRARY_PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR'];
  const kept = names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' };
}

/** A rename survives a power failure only once its directory is on the disk. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') {
    return;
  }
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function attemptPrefix(home: string, pid: number): string {
  return `${home}.attempt-${hostname()}-${pid}-`;
}

/** Attempts carry the host and process that made them, so that one that is still at work is left alone. */
async function removeAbandonedAttempts(home: string): Promise<void> {
  for (const name of await readdir(dirname(home))) {
    if (!name.startsWith(`${basename(home)}.attempt-`)) {
      continue;
    }
    const path = join(dirname(home), name);
    const pid = Number(/-(\d+)-[^-]+$/.exec(name)?.[1]);
    const isHere = path.startsWith(attemptPrefix(home, pid));
    const age =
      Date.now() -
      (await stat(path)
        .then((entry) => entry.mtimeMs)
        .catch(() => Date.now()));
    if ((isHere && !isRunning(pid)) || age > ABANDONED_AFTER_MS) {
      // Its initdb may still be writing for a moment; what is left over goes the next time.
      await rm(path, { recursive: true, force: true, maxRetries: 2 }).catch(() => {});
    }
  }
}
