import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { DiptychError } from '../../src/domain/errors.js';
import { sqlState } from '../../src/store/database-errors.js';
import { type Db, openDatabase, withTransaction } from '../../src/store/db.js';
import { createTestDatabase } from '../support/database.js';

const insert = `INSERT INTO collection (name) VALUES ('written')`;

async function open(): Promise<{ db: Db; url: string }> {
  const database = await createTestDatabase();
  const db = openDatabase({ url: database.url, poolSize: 2 });
  onTestFinished(async () => {
    await db.close();
    await database.drop();
  });
  return { db, url: database.url };
}

const isWritten = async (db: Db) =>
  (await db.query(`SELECT FROM collection WHERE name = 'written'`)).length > 0;

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'it succeeded',
    (error: unknown) => error,
  );

const codeOf = (error: unknown) => (error instanceof DiptychError ? error.code : error);

test('what is sent without waiting is done when the transaction is acknowledged', async () => {
  const { db } = await open();
  await withTransaction(db, async (tx) => tx.send(insert));
  expect(await isWritten(db)).toBe(true);
});

test('a statement that nobody waited for and that fails is the failure of its transaction, and nothing of it happens', async () => {
  const { db } = await open();
  const failure = await failureOf(
    withTransaction(db, async (tx) => {
      tx.send(insert);
      tx.send('SELECT 1 / 0');
      tx.send(`INSERT INTO collection (name) VALUES ('another')`);
    }),
  );
  expect(sqlState(failure)).toBe('22012');
  expect(await isWritten(db)).toBe(false);
});

test('the first failure is told, not those that follow from it', async () => {
  const { db } = await open();
  const failure = await failureOf(
    withTransaction(db, async (tx) => {
      tx.send('SELECT 1 / 0');
      await tx.query('SELECT 1 AS follows');
    }),
  );
  expect(sqlState(failure)).toBe('22012');
});

test('a transaction whose failure was passed over is not acknowledged', async () => {
  const { db } = await open();
  const failure = await failureOf(
    withTransaction(db, async (tx) => {
      tx.send(insert);
      await tx.query('SELECT 1 / 0').catch(() => {});
    }),
  );
  expect(failure).toBeInstanceOf(Error);
  expect(await isWritten(db)).toBe(false);
});

test('a session that ends before COMMIT was reached has certainly not committed', async () => {
  const { db } = await open();
  const failure = await failureOf(
    withTransaction(db, async (tx) => {
      tx.send(insert);
      tx.send('SELECT pg_terminate_backend(pg_backend_pid())');
    }),
  );
  expect(codeOf(failure)).toBe('not-ready');
  expect(await isWritten(db)).toBe(false);
});

test('a session that ends while COMMIT is under way leaves an unknown outcome', async () => {
  const { db, url } = await open();
  // A deferred trigger that waits for this lock holds COMMIT up.
  const holder = new pg.Client({ connectionString: url });
  await holder.connect();
  onTestFinished(() => holder.end());
  await holder.query(`
    CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_lock(1); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON collection DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_here();
    SELECT pg_advisory_lock(1)`);
  const ending = failureOf(withTransaction(db, async (tx) => tx.send(insert)));
  const waiting = `FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  while ((await holder.query(`SELECT ${waiting}`)).rowCount === 0);
  await holder.query(`SELECT pg_terminate_backend(pid) ${waiting}`);
  expect(codeOf(await ending)).toBe('outcome-unknown');
});

test('a failure that is waited for is told, though something was sent behind it, and a passing one is tried again', async () => {
  const { db } = await open();
  let attempts = 0;
  await withTransaction(db, async (tx) => {
    attempts += 1;
    const failing = tx.query(
      attempts === 1 ? `DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$` : 'SELECT 1',
    );
    tx.send(insert);
    await failing;
  });
  expect(attempts).toBe(2);
  expect(await isWritten(db)).toBe(true);
});
