import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Executor } from './db.js';
import { reachDatabase } from './reach-database.js';
import { NO_FILTERS, type SchemaEngine, withSchemaEngine } from './schema-engine.js';
import { StartRefusal } from './start-refusal.js';

/** Beside `src` and `dist` alike. */
const SHIPPED_MIGRATIONS = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));

/** Any number does, as long as it stays the same from release to release. */
const LOCK_ID = 4_474_197_811;

/**
 * The engine notes when a migration has finished in a statement of its own. Noting it together with the
 * migration's statements makes each migration atomic: killed at any moment, it has happened and is noted, or
 * neither.
 */
const NOTE_FINISHED = `
;
UPDATE _prisma_migrations SET finished_at = clock_timestamp() WHERE finished_at IS NULL AND rolled_back_at IS NULL;`;

/**
 * Brings the database to the newest schema, and returns the names of the migrations that this took. Instances
 * that start at the same moment wait for each other. Prisma's command line agrees with what is noted.
 * @throws StartRefusal when the database cannot be used or a migration fails, which then left nothing behind.
 */
export async function applyMigrations(
  url: string,
  logger: Logger,
  directory = SHIPPED_MIGRATIONS,
): Promise<string[]> {
  const client = await reachDatabase(url, logger);
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK_ID]);
    await forgetUnfinished(client);
    const applied = await applyPending(url, directory);
    if (applied.length > 0) {
      logger.info({ migrations: applied }, 'database schema brought up to date');
    }
    return applied;
  } finally {
    await client.end();
  }
}

/** A migration that is not noted as finished left nothing behind, so it may simply be tried again. */
async function forgetUnfinished(client: pg.Client): Promise<void> {
  const { rows } = await client.query(`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS present`);
  if (rows[0]?.present === true) {
    await client.query(
      'UPDATE _prisma_migrations SET rolled_back_at = clock_timestamp() WHERE finished_at IS NULL AND rolled_back_at IS NULL',
    );
  }
}

async function applyPending(url: string, directory: string): Promise<string[]> {
  const migrationsList = await readMigrations(directory);
  let failure: unknown = null;
  const apply = async (engine: SchemaEngine): Promise<string[]> => {
    const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: NO_FILTERS });
    return appliedMigrationNames;
  };
  const runScript = async (pool: pg.Pool, script: string): Promise<void> => {
    try {
      // One message with many statements is one transaction.
      await pool.query(script + NOTE_FINISHED);
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  try {
    return await withSchemaEngine(url, apply, runScript);
  } catch (error) {
    // The engine knows the database's own words only as "external connector error".
    const reason = failure ?? error;
    const [firstLine] = (reason instanceof Error ? reason.message : String(reason)).split('\n');
    throw new StartRefusal(`The database schema cannot be brought up to date: ${firstLine}`, {
      cause: reason,
    });
  }
}

/** The first migration that this build ships and the database does not have; null when it has them all. */
export async function findMissingMigration(
  executor: Executor,
  directory = SHIPPED_MIGRATIONS,
): Promise<string | null> {
  const [missing] = await executor.query<{ name: string }>(
    `SELECT name FROM unnest($1::text[]) AS shipped (name)
     WHERE name NOT IN (SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL)
     ORDER BY name LIMIT 1`,
    [await listMigrations(directory)],
  );
  return missing?.name ?? null;
}

async function listMigrations(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** The migrations in the form that Prisma's engine takes. */
export async function readMigrations(directory = SHIPPED_MIGRATIONS) {
  const names = await listMigrations(directory);
  const lockFile = await readFile(join(directory, 'migration_lock.toml'), 'utf8');
  return {
    baseDir: directory,
    lockfile: { path: 'migration_lock.toml', content: lockFile },
    shadowDbInitScript: '',
    migrationDirectories: await Promise.all(
      names.sort().map(async (name) => ({
        path: name,
        migrationFile: {
          path: 'migration.sql',
          content: {
            tag: 'ok' as const,
            value: await readFile(join(directory, name, 'migration.sql'), 'utf8'),
          },
        },
      })),
    ),
  };
}
