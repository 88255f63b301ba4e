import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { StartRefusal } from './start-refusal.js';

/** The oldest major release of PostgreSQL that has what the tables need (NULLS NOT DISTINCT). */
const MIN_MAJOR_VERSION = 15;
const CONNECT_TIMEOUT_MS = 5_000;
const RETRY_INTERVAL_MS = 500;
const DEFAULT_PATIENCE_MS = 30_000;

/** Not there yet, still starting, or too busy with its own start: worth waiting for. */
const WORTH_WAITING = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', '57P03']);

/**
 * Connects to the database that the service is to use, waiting a while for a server that starts at the same
 * time, and makes sure that the service can work with it. The caller ends the connection.
 * @throws StartRefusal when it cannot be reached or is not suitable.
 */
export async function reachDatabase(
  url: string,
  logger: Logger,
  patienceMs = DEFAULT_PATIENCE_MS,
): Promise<pg.Client> {
  const client = await connectPatiently(url, logger, Date.now() + patienceMs);
  try {
    await requireSuitable(client);
    return client;
  } catch (error) {
    await client.end();
    throw error;
  }
}

async function connectPatiently(url: string, logger: Logger, deadline: number): Promise<pg.Client> {
  for (let attempt = 1; ; attempt += 1) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
    // A connection that breaks later fails the statement that uses it; it must not end the process.
    client.on('error', () => {});
    try {
      await client.connect();
      return client;
    } catch (error) {
      const { code, message } = describe(error);
      if (!WORTH_WAITING.has(code) || Date.now() > deadline) {
        throw new StartRefusal(
          `The database at ${withoutSecrets(url)} cannot be used: ${message}. ` +
            'Check DATABASE_URL, or leave it out to use the embedded PostgreSQL',
          { cause: error },
        );
      }
      if (attempt === 1) {
        logger.warn(`waiting for the database at ${withoutSecrets(url)} (${message})`);
      }
      await pause(RETRY_INTERVAL_MS);
    }
  }
}

/** Node gives one error for all addresses of a name, with an empty message and the code of the last. */
function describe(error: unknown): { code: string; message: string } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const message = error instanceof Error ? error.message : String(error);
  return { code, message: message || code };
}

function withoutSecrets(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

async function requireSuitable(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version_num')::integer AS version, current_setting('server_encoding') AS encoding`,
  );
  const version = Math.trunc(Number(rows[0]?.version) / 10_000);
  const encoding = String(rows[0]?.encoding);
  if (version < MIN_MAJOR_VERSION) {
    throw new StartRefusal(
      `The database server is PostgreSQL ${version}; ${MIN_MAJOR_VERSION} or newer is needed`,
    );
  }
  if (encoding !== 'UTF8') {
    throw new StartRefusal(
      `The database has the encoding ${encoding}; UTF8 is needed: CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'`,
    );
  }
}
