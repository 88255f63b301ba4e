import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { applyMigrations, readMigrations } from '../../src/store/migrate.js';
import { NO_FILTERS, withSchemaEngine } from '../../src/store/schema-engine.js';
import { createEmptyDatabase } from '../support/database.js';

const logger = pino({ level: 'silent' });

async function emptyDatabase(encoding?: 'LATIN1'): Promise<string> {
  const database = await createEmptyDatabase(encoding);
  onTestFinished(() => database.drop());
  return database.url;
}

async function migrations(scripts: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'diptych-migrations-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, 'migration_lock.toml'), 'provider = "postgresql"\n');
  for (const [name, sql] of Object.entries(scripts)) {
    await mkdir(join(directory, name), { recursive: true });
    await writeFile(join(directory, name, 'migration.sql'), sql);
  }
  return directory;
}

async function rowsOf(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

const noted = `SELECT migration_name AS name, finished_at IS NOT NULL AS finished, rolled_back_at IS NOT NULL AS dropped
  FROM _prisma_migrations ORDER BY started_at`;

describe('applyMigrations', () => {
  test('applies what is missing, in the order of the names, and nothing the second time', async () => {
    const url = await emptyDatabase();
    const directory = await migrations({
      '20260102_second': 'ALTER TABLE thing ADD COLUMN size integer;',
      '20260101_first': 'CREATE TABLE thing (id integer PRIMARY KEY);',
    });
    expect(await applyMigrations(url, logger, directory)).toEqual(['20260101_first', '20260102_second']);
    expect(await applyMigrations(url, logger, directory)).toEqual([]);
    expect(await rowsOf(url, 'SELECT id, size FROM thing')).toEqual([]);
  });

  test('runs a function whose body holds semicolons, and a script that ends in a comment', async () => {
    const url = await emptyDatabase();
    const body = `CREATE FUNCTION two() RETURNS integer LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; RETURN 2; END $$; -- end`;
    await applyMigrations(url, logger, await migrations({ '20260101_function': body }));
    expect(await rowsOf(url, 'SELECT two()')).toEqual([{ two: 2 }]);
  });

  test('many instances that start at once apply each migration once', async () => {
    const url = await emptyDatabase();
    const directory = await migrations({ '20260101_first': 'CREATE TABLE thing (id integer);' });
    const results = await Promise.all(
      Array.from({ length: 4 }, () => applyMigrations(url, logger, directory)),
    );
    expect(results.flat()).toEqual(['20260101_first']);
    expect(await rowsOf(url, noted)).toEqual([{ name: '20260101_first', finished: true, dropped: false }]);
  });

  test('a migration that fails leaves nothing behind, is told in one line, and may be mended', async () => {
    const url = await emptyDatabase();
    const broken = await migrations({
      '20260101_first': 'CREATE TABLE thing (id integer); SELECT nonsense;',
    });
    await expect(applyMigrations(url, logger, broken)).rejects.toMatchObject({
      name: 'StartRefusal',
      message: 'The database schema cannot be brought up to date: column "nonsense" does not exist',
    });
    expect(await rowsOf(url, `SELECT to_regclass('thing') AS found`)).toEqual([{ found: null }]);

    const mended = await migrations({ '20260101_first': 'CREATE TABLE thing (id integer);' });
    expect(await applyMigrations(url, logger, mended)).toEqual(['20260101_first']);
    expect(await rowsOf(url, noted)).toEqual([
      { name: '20260101_first', finished: false, dropped: true },
      { name: '20260101_first', finished: true, dropped: false },
    ]);
  });

  test('a migration is noted as finished in its own transaction, so that no kill can come between', async () => {
    const url = await emptyDatabase();
    const script = `
      CREATE TABLE own (transaction xid8);
      INSERT INTO own VALUES (pg_current_xact_id());
      CREATE TABLE noted (transaction xid8);
      CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO noted VALUES (pg_current_xact_id()); RETURN NULL; END $$;
      CREATE TRIGGER witness AFTER UPDATE OF finished_at ON _prisma_migrations
        FOR EACH ROW WHEN (NEW.finished_at IS NOT NULL) EXECUTE FUNCTION witness();`;
    await applyMigrations(url, logger, await migrations({ '20260101_first': script }));
    expect(
      await rowsOf(url, 'SELECT count(*)::integer AS times FROM own JOIN noted USING (transaction)'),
    ).toEqual([{ times: 1 }]);
  });

  test('a database that is not UTF8 is refused', async () => {
    const url = await emptyDatabase('LATIN1');
    await expect(applyMigrations(url, logger)).rejects.toMatchObject({
      name: 'StartRefusal',
      message: expect.stringContaining('UTF8 is needed'),
    });
  });

  test('a wrong password is told with the server and without any secret', async () => {
    const url = new URL(await emptyDatabase());
    url.password = 'hunter2secret';
    const failure = applyMigrations(url.href, logger);
    await expect(failure).rejects.toMatchObject({
      name: 'StartRefusal',
      message: expect.stringContaining(url.host),
    });
    await expect(failure).rejects.not.toMatchObject({ message: expect.stringContaining('hunter2secret') });
  });

  test("Prisma's own diagnosis finds the history complete, unchanged and without a failure", async () => {
    const url = await emptyDatabase();
    await applyMigrations(url, logger);
    const migrationsList = await readMigrations();
    const diagnosis = await withSchemaEngine(url, (engine) =>
      engine.diagnoseMigrationHistory({ migrationsList, optInToShadowDatabase: false, filters: NO_FILTERS }),
    );
    expect(diagnosis).toMatchObject({
      history: null,
      editedMigrationNames: [],
      failedMigrationNames: [],
      hasMigrationsTable: true,
    });
  });
});
