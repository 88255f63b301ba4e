import { hostname } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { StartRefusal } from '../start-refusal.js';
import { commandLine, isRunning } from './process.js';

/** A connection whose session holds the lock that makes this process the only service of its data directory. */
export interface DataDirLock {
  /** Resolves when the session has ended, for whatever reason, and the lock with it. */
  lost: Promise<void>;
  isHeld: () => boolean;
  /** For statements of the holder alone. */
  query: (sql: string) => Promise<pg.QueryResult>;
  release: () => Promise<void>;
}

/** Any number does, as long as it stays the same from release to release. */
const LOCK_ID = 4_474_197_812;
const OWNER_NAME = /^diptych process (\d+) on (.+)$/;
/** A service that was killed a moment ago loses its session as soon as the server sees the closed connection. */
const WAIT_FOR_DEAD_OWNER_MS = 5_000;
const RETRY_INTERVAL_MS = 100;

/**
 * Takes the lock, in the maintenance database of the server at `url`.
 * @throws StartRefusal when another process that is alive holds it.
 */
export async function takeDataDirLock(url: string, dataDir: string): Promise<DataDirLock> {
  const client = new pg.Client({
    connectionString: url,
    // PostgreSQL keeps 63 characters of it.
    application_name: `diptych process ${process.pid} on ${hostname()}`,
    keepAlive: true,
  });
  let held = false;
  const lost = new Promise<void>((resolve) => {
    const end = (): void => {
      held = false;
      resolve();
    };
    client.once('end', end);
    // Without a listener a broken connection would end the process.
    client.on('error', end);
  });
  try {
    await client.connect();
    held = await tryUntilOwnerIsKnown(client, dataDir);
  } catch (error) {
    await client.end().catch(() => {});
    throw error;
  }
  return {
    lost,
    isHeld: () => held,
    query: (sql) => client.query(sql),
    release: () => client.end(),
  };
}

async function tryUntilOwnerIsKnown(client: pg.Client, dataDir: string): Promise<true> {
  const deadline = Date.now() + WAIT_FOR_DEAD_OWNER_MS;
  for (;;) {
    // The session-wide lock lasts until the session ends, also when this process is killed.
    const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS taken', [LOCK_ID]);
    if (rows[0]?.taken === true) {
      return true;
    }
    const owner = await findOwner(client);
    if ((owner !== null && isAlive(owner)) || Date.now() > deadline) {
      const who = owner === null ? '' : ` (process ${owner.pid} on ${owner.host})`;
      throw new StartRefusal(
        `Another service${who} uses the data directory ${dataDir}. Stop it, set DATA_DIR to another directory, ` +
          'or set DATABASE_URL on both to share one database',
      );
    }
    await pause(RETRY_INTERVAL_MS);
  }
}

interface Owner {
  pid: number;
  host: string;
}

function isAlive({ pid, host }: Owner): boolean {
  return hostname().startsWith(host) && isRunning(pid) && commandLine(pid) !== '';
}

/** Who holds the lock, as its session's application name tells; null when it has just been let go. */
async function findOwner(client: pg.Client): Promise<Owner | null> {
  // A lock's number of 64 bits is shown in two halves.
  const { rows } = await client.query(
    `SELECT activity.application_name AS name
       FROM pg_locks AS lock
       JOIN pg_stat_activity AS activity USING (pid)
      WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
        AND (lock.classid::bigint << 32) + lock.objid::bigint = $1`,
    [LOCK_ID],
  );
  const [, pid, host] = OWNER_NAME.exec(String(rows[0]?.name)) ?? [];
  return pid === undefined || host === undefined ? null : { pid: Number(pid), host };
}
