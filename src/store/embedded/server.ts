import { type ChildProcess, spawn } from 'node:child_process';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { StartRefusal } from '../start-refusal.js';
import type { Binaries } from './binaries.js';
import { type Cluster, childEnvironment, DATABASE_USER } from './cluster.js';
import { findPostmaster, type Postmaster, removeStaleLockFile } from './postmaster.js';
import { chooseRunner, type RootMethod } from './run-as.js';

/** What is needed to start a server, or to find the one that runs. */
export interface ServerOptions {
  binaries: Binaries;
  cluster: Cluster;
  logger: Logger;
  rootMethods?: readonly RootMethod[] | undefined;
}

export interface RunningServer extends Postmaster {
  /** Whether it ran already. */
  isAdopted: boolean;
}

const START_TIMEOUT_MS = 120_000;
const POLL_INTERVAL_MS = 50;
const CONNECT_TIMEOUT_MS = 5_000;
const MAX_LAUNCHES = 40;
const LOG_ROTATION_BYTES = 10 * 1024 * 1024;

/**
 * Makes sure that a server runs on the cluster and takes connections: one that outlived its service is
 * adopted, one that is still starting, recovering or stopping is waited for, else one is started.
 * @param preferredPort where to start it when that port is free, so that connection strings stay valid.
 * @throws StartRefusal when the server cannot be started, with the end of its log.
 */
export async function ensureServer(options: ServerOptions, preferredPort = 0): Promise<RunningServer> {
  const { cluster } = options;
  const deadline = Date.now() + START_TIMEOUT_MS;
  let launch: Launch | null = null;
  let launches = 0;
  while (Date.now() < deadline) {
    const postmaster = await findPostmaster(cluster);
    if (postmaster !== null && (await takesConnections(cluster, postmaster))) {
      return { ...postmaster, isAdopted: launch?.child.pid !== postmaster.pid };
    }
    if (launch?.failure() instanceof Error) {
      break;
    }
    if (postmaster === null && (launch === null || launch.hasEnded())) {
      // The old server's last sessions may still be ending, or the port may just have been taken.
      if (launches === MAX_LAUNCHES) {
        break;
      }
      await removeStaleLockFile(cluster);
      launch = await launchPostgres(options, launches === 0 ? preferredPort : 0);
      launches += 1;
    }
    await pause(POLL_INTERVAL_MS);
  }
  const reason = launch?.failure()?.message ?? (await endOfLog(cluster));
  throw new StartRefusal(
    `The embedded PostgreSQL did not start: ${reason} (its log: ${cluster.log}). ` +
      'Mend that, or set DATABASE_URL to another PostgreSQL server',
  );
}

interface Launch {
  child: ChildProcess;
  hasEnded: () => boolean;
  /** Why the program could not even be run. */
  failure: () => Error | null;
}

async function launchPostgres(options: ServerOptions, preferredPort: number): Promise<Launch> {
  const { binaries, cluster, rootMethods } = options;
  await rotateLog(cluster);
  const runner = chooseRunner(binaries, cluster.home, rootMethods);
  runner.own(cluster.home);
  const port = await freePort(preferredPort);
  const { program, args } = runner.wrap(binaries.postgres, [
    '-D',
    cluster.data,
    ...serverSettings(port).flatMap((setting) => ['-c', setting]),
  ]);
  const log = await open(cluster.log, 'a', 0o600);
  try {
    const child = spawn(program, args, {
      ...runner.options,
      // In a process group of its own: Ctrl-C in the terminal must not end it before the service has drained.
      detached: true,
      cwd: '/',
      env: childEnvironment(),
      stdio: ['ignore', log.fd, log.fd],
      windowsHide: true,
    });
    let ended = false;
    child.once('exit', () => {
      ended = true;
    });
    let failure: Error | null = null;
    child.once('error', (error) => {
      failure = error;
    });
    child.unref();
    return { child, hasEnded: () => ended, failure: () => failure };
  } finally {
    await log.close();
  }
}

/** Given at every start and not kept in a file, so that a newer release's settings reach old data. */
function serverSettings(port: number): string[] {
  return [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'max_connections=250',
    'fsync=on',
    'full_page_writes=on',
    'synchronous_commit=on',
    // Statements here are short; compiling them costs more than it gains.
    'jit=off',
    // Whoever follows the mirrors of collections reads them from the log of the server.
    'wal_level=logical',
    'max_wal_senders=10',
    'max_replication_slots=10',
    // A slot that nobody reads loses its place rather than fill the disk.
    'max_slot_wal_keep_size=4GB',
    'timezone=UTC',
    'log_timezone=UTC',
    'log_line_prefix=%m [%p] ',
    'log_checkpoints=off',
  ];
}

/** Whether the server is ready; false while it starts, recovers or stops. */
async function takesConnections(cluster: Cluster, { port }: Postmaster): Promise<boolean> {
  if (!Number.isInteger(port) || port <= 0) {
    return false;
  }
  const client = new pg.Client({
    connectionString: serverUrl(cluster, port, 'postgres'),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === '28P01') {
      throw new StartRefusal(
        `The password in ${cluster.home} does not fit the PostgreSQL server that runs there. Restore that directory from a backup`,
      );
    }
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** A connection string for one database of the server. It holds the password. */
export function serverUrl(cluster: Cluster, port: number, database: string): string {
  return `postgresql://${DATABASE_USER}:${encodeURIComponent(cluster.password)}@127.0.0.1:${port}/${database}`;
}

async function freePort(preferred: number): Promise<number> {
  return (await tryPort(preferred)) ?? (await tryPort(0)) ?? 0;
}

function tryPort(port: number): Promise<number | null> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(null));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}

async function rotateLog({ log }: Cluster): Promise<void> {
  const size = await stat(log)
    .then((entry) => entry.size)
    .catch(() => 0);
  if (size > LOG_ROTATION_BYTES) {
    await rename(log, `${log}.1`);
  }
}

async function endOfLog({ log }: Cluster): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => '');
  return text.trim().split('\n').slice(-3).join(' | ') || 'it wrote nothing to its log';
}
