import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NO_FILTERS, withSchemaEngine } from '../../src/store/schema-engine.js';
import { createTestDatabase } from '../support/database.js';

const schemaPath = fileURLToPath(new URL('../../prisma/schema.prisma', import.meta.url));

/** The SQL that would turn the database into what schema.prisma says. */
async function differenceOf(url: string): Promise<string> {
  const files = [{ path: schemaPath, content: await readFile(schemaPath, 'utf8') }];
  const { stdout } = await withSchemaEngine(url, (engine) =>
    engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: '' },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: null,
      filters: NO_FILTERS,
    }),
  );
  return stdout ?? '';
}

async function migratedDatabase(): Promise<string> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  return database.url;
}

describe('the migrations and schema.prisma', () => {
  test('say the same', async () => {
    expect(await differenceOf(await migratedDatabase())).toBe('-- This is an empty migration.\n');
  });

  test.each([
    ['a column of another type', 'ALTER TABLE idempotency ALTER COLUMN outcome TYPE varchar(10)', 'outcome'],
    ['a column that may be null', 'ALTER TABLE changeset ALTER COLUMN title DROP NOT NULL', 'title'],
    ['a missing index', 'DROP INDEX idempotency_answered_at', 'idempotency_answered_at'],
    [
      'a missing foreign key',
      'ALTER TABLE record DROP CONSTRAINT record_current_version_fkey',
      'current_version',
    ],
    ['a table too many', 'CREATE TABLE surplus (id integer PRIMARY KEY)', 'surplus'],
  ])('are found to differ by %s', async (_, sql, name) => {
    const url = await migratedDatabase();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(sql);
    await client.end();
    expect(await differenceOf(url)).toContain(name);
  });
});
