import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { findBinaries } from './embedded/binaries.js';
import { ensureCluster } from './embedded/cluster.js';
import { type DataDirLock, takeDataDirLock } from './embedded/data-dir-lock.js';
import { findPostmaster, stopPostmaster } from './embedded/postmaster.js';
import type { RootMethod } from './embedded/run-as.js';
import { ensureServer, type RunningServer, type ServerOptions, serverUrl } from './embedded/server.js';
import { StartRefusal } from './start-refusal.js';

/** A running server that belongs to this process alone. */
export interface EmbeddedPostgres {
  /** The connection string of the database `diptych`; it holds the password. */
  url: string;
  /** Stops the server and returns when it is gone. */
  stop(): Promise<void>;
}

const DATABASE = 'diptych';
const MAINTENANCE_DATABASE = 'postgres';
const MAX_CLAIMS = 20;
const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Starts the PostgreSQL that comes with the service, with its data under `dataDir`, or takes over the one
 * that a killed service left running there. If the server dies later, it is started again in the same place.
 * @throws StartRefusal when another service uses the directory or the server cannot run here.
 */
export async function startEmbeddedPostgres(options: {
  dataDir: string;
  logger: Logger;
  /** For root only, see `chooseRunner`. */
  rootMethods?: readonly RootMethod[];
}): Promise<EmbeddedPostgres> {
  const { dataDir, logger, rootMethods } = options;
  const binaries = findBinaries();
  const cluster = await ensureCluster(binaries, dataDir, rootMethods);
  const server: ServerOptions = { binaries, cluster, logger, rootMethods };
  const { lock: firstLock, port, pid, isAdopted } = await claim(server, dataDir);
  await createDatabase(firstLock);
  const how = isAdopted ? 'taken over from a service that was killed' : 'started';
  logger.info({ serverPid: pid, port }, `embedded PostgreSQL ${how}`);

  let lock = firstLock;
  let stopping = false;
  const guarding = (async () => {
    while (!stopping) {
      await lock.lost;
      if (!stopping) {
        logger.warn('the session that guards the data directory is lost; restoring it');
        lock = (await restore(server, port, dataDir, () => stopping)) ?? lock;
      }
    }
  })();

  return {
    url: serverUrl(cluster, port, DATABASE),
    stop: async () => {
      stopping = true;
      if (!lock.isHeld()) {
        await guarding;
      }
      await stopServer(server, lock, dataDir);
    },
  };
}

interface Claim extends RunningServer {
  lock: DataDirLock;
}

/** Makes the server run and takes the lock, and again when the server was just being stopped by another. */
async function claim(server: ServerOptions, dataDir: string, preferredPort?: number): Promise<Claim> {
  for (let attempt = 1; ; attempt += 1) {
    const running = await ensureServer(server, preferredPort);
    try {
      const url = serverUrl(server.cluster, running.port, MAINTENANCE_DATABASE);
      return { ...running, lock: await takeDataDirLock(url, dataDir) };
    } catch (error) {
      if (error instanceof StartRefusal || attempt === MAX_CLAIMS) {
        throw error;
      }
      await pause(SHORTEST_PAUSE_MS);
    }
  }
}

async function createDatabase(lock: DataDirLock): Promise<void> {
  const { rowCount } = await lock.query(`SELECT 1 FROM pg_database WHERE datname = '${DATABASE}'`);
  if (rowCount === 0) {
    await lock.query(`CREATE DATABASE ${DATABASE}`);
  }
}

/** Claims the directory again. Gives up only when told to stop. */
async function restore(
  server: ServerOptions,
  port: number,
  dataDir: string,
  isStopping: () => boolean,
): Promise<DataDirLock | null> {
  for (let ms = SHORTEST_PAUSE_MS; !isStopping(); ms = Math.min(ms * 2, LONGEST_PAUSE_MS)) {
    try {
      const { lock } = await claim(server, dataDir, port);
      server.logger.info('the data directory is guarded again');
      return lock;
    } catch (error) {
      server.logger.error({ err: error }, 'the data directory cannot be guarded again yet');
      await pause(ms);
    }
  }
  return null;
}

async function stopServer(server: ServerOptions, lock: DataDirLock, dataDir: string): Promise<void> {
  const { binaries, cluster, logger } = server;
  const postmaster = await findPostmaster(cluster);
  if (postmaster === null) {
    return;
  }
  const url = serverUrl(cluster, postmaster.port, MAINTENANCE_DATABASE);
  const held = lock.isHeld() ? lock : await takeIfFree(url, dataDir);
  if (held === null) {
    logger.warn('the embedded PostgreSQL is left running: another service has taken the data directory');
    return;
  }
  // Those who follow the server's log are sent away: it would wait for their word that they have all of it.
  await held.query('SELECT pg_terminate_backend(pid) FROM pg_stat_replication').catch(() => {});
  // The lock is kept until the server ends it: let go earlier, another service could move in meanwhile.
  await stopPostmaster(binaries, cluster, postmaster);
  await held.release().catch(() => {});
  logger.info('embedded PostgreSQL has stopped');
}

async function takeIfFree(url: string, dataDir: string): Promise<DataDirLock | null> {
  try {
    return await takeDataDirLock(url, dataDir);
  } catch (error) {
    if (error instanceof StartRefusal) {
      return null;
    }
    throw error;
  }
}
