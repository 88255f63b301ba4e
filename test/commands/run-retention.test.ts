import { describe, expect, test } from 'vitest';
import type { Context } from '../../src/commands/context.js';
import { rollbackRecord } from '../../src/commands/rollback-record.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { batchBounds } from '../../src/commands/steps/retention-task.js';
import { sweepRetention } from '../../src/commands/sweep-retention.js';
import { type Executor, withTransaction } from '../../src/store/db.js';
import { auditStore } from '../support/audit.js';
import { codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { collection, countVersions, define, putAll, restless, retain } from '../support/retention.js';

const deleteAll = { retention: { keepVersions: 1, onExpire: 'delete' as const } };
const archiveAll = { retention: { keepVersions: 1 } };
/** Versions that go in one batch: fewer than any history here has to expire. */
const { versions: batch } = batchBounds;
const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);

async function twoInstances(): Promise<[Context, Context]> {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  return [one, two];
}

/** Records with so many versions each, of which all but the last are to go. */
async function history(context: Context, versions: number, definition: object = archiveAll): Promise<void> {
  await define(context, definition);
  for (let n = 1; n <= versions; n += 1) await putAll(context, keys, { n, text: 'x'.repeat(50) });
}

/** Answers once somebody waits for a lock. Not for a transaction: there the view stays as it was first seen. */
async function untilWaiting(executor: Executor): Promise<void> {
  for (;;) {
    const rows = await executor.query(
      `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    );
    if (rows.length > 0) return;
  }
}

describe('a run', () => {
  test('that stops half-way is ended by another instance, which does nothing twice', async () => {
    const [one, two] = await twoInstances();
    await history(one, 11);
    const first = await retain(one, { maxBatches: 2 });
    expect(first).toMatchObject({ archived: 2 * batch, complete: false });
    const second = await retain(two);
    expect(second).toMatchObject({ archived: 400 - 2 * batch, complete: true });
    expect(await countVersions(one)).toEqual({ kept: 40, archived: 400, deleted: 0 });
    expect(await auditStore(one.db)).toEqual([]);
  });

  test('whose connection is killed between two batches is ended by another instance', async () => {
    const [one, two] = await twoInstances();
    await history(one, 6, deleteAll);
    let batches = 0;
    const kill = async () => {
      batches += 1;
      await two.db.query(
        `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
         WHERE l.locktype = 'advisory' AND l.classid = 4718 AND d.datname = current_database()`,
      );
    };
    await expect(retain(one, { rest: kill }).catch((error) => codeOf(error))).resolves.toBe('not-ready');
    expect(batches).toBe(1);
    expect(await countVersions(one)).toMatchObject({ kept: 240 - batch, deleted: batch });
    expect(await retain(two)).toMatchObject({ deleted: 200 - batch, complete: true });
    expect(await auditStore(one.db)).toEqual([]);
  });

  test('passes over a record that is locked, without waiting, and takes it the next time', async () => {
    const [one, two] = await twoInstances();
    await history(one, 2, deleteAll);
    await withTransaction(two.db, async (tx) => {
      await tx.query(`SELECT FROM record WHERE key = 'k7' FOR UPDATE`);
      expect(await retain(one)).toMatchObject({ deleted: 39, complete: true });
    });
    expect(await retain(one)).toMatchObject({ deleted: 1, complete: true });
  });

  test('decides again under lock: what has become current after it was chosen stays', async () => {
    const [one, two] = await twoInstances();
    await define(one, deleteAll);
    for (const n of [1, 2, 3]) await putAll(one, ['a', 'b'], { n });
    const run = await withTransaction(two.db, async (tx) => {
      // As staging does; it holds the run between its choice and its locks.
      await tx.query(`SELECT FROM collection FOR SHARE`);
      const running = retain(one);
      await untilWaiting(one.db);
      await rollbackRecord(two, {
        collection,
        key: 'a',
        toVersion: 1,
        force: false,
        precondition: {},
        actor: ann,
      });
      return { running };
    });
    expect(await run.running).toMatchObject({ deleted: 3, complete: true });
    expect(await auditStore(one.db)).toEqual([]);
    // Version 3 of the record has been replaced by the rollback, but is the newest.
    expect(await retain(one)).toMatchObject({ deleted: 0 });
  });

  test('ends when the policy that it was started for is no longer in force', async () => {
    const [one, two] = await twoInstances();
    await history(one, 6, deleteAll);
    const rest = () => define(two, { retention: { keepVersions: 100 } });
    expect(await retain(one, { rest })).toMatchObject({ deleted: batch, complete: false });
    expect(await retain(one)).toMatchObject({ deleted: 0, complete: true });
    await define(one, deleteAll);
    expect(await retain(one)).toMatchObject({ deleted: 200 - batch, complete: true });
  });

  test('that was interrupted is started anew under another policy', async () => {
    const [one] = await twoInstances();
    await history(one, 6);
    expect(await retain(one, { maxBatches: 1 })).toMatchObject({ archived: batch, complete: false });
    await define(one, deleteAll);
    expect(await retain(one)).toMatchObject({ deleted: 200, complete: true });
    expect(await countVersions(one)).toEqual({ kept: 40, archived: 0, deleted: 200 });
  });

  test('leaves the base of a pending version, in a changeset or not, and takes it once that is gone', async () => {
    const [one] = await twoInstances();
    await define(one, deleteAll);
    await putAll(one, ['a', 'b'], { n: 1 });
    const [changeset] = await one.db.query<{ id: string }>(
      `INSERT INTO changeset (title, created_by) VALUES ('t', 'ann') RETURNING id`,
    );
    for (const [key, id] of [
      ['a', null],
      ['b', changeset?.id ?? null],
    ] as const) {
      await stagePending(one, {
        collection,
        key,
        changeset: id,
        staged: { operation: 'upsert', data: { n: 9 } },
        precondition: {},
        actor: ann,
      });
    }
    await putAll(one, ['a', 'b'], { n: 2 });
    expect(await retain(one)).toMatchObject({ deleted: 0, horizon: 0 });
    await one.db.query(`DELETE FROM version WHERE revision IS NULL`);
    expect(await retain(one)).toMatchObject({ deleted: 2 });
  });

  test('takes few large versions at a time', async () => {
    const [one] = await twoInstances();
    await define(one, archiveAll);
    for (let n = 1; n <= 5; n += 1) await putAll(one, ['large'], { n, text: 'y'.repeat(900_000) });
    let batches = 1;
    const rest = async () => {
      batches += 1;
    };
    expect(await retain(one, { rest })).toMatchObject({ archived: 4, complete: true });
    expect(batches).toBeGreaterThan(1);
    expect(await auditStore(one.db)).toEqual([]);
  });
});

describe('a sweep', () => {
  test('goes through every collection that has a definition', async () => {
    const [one] = await twoInstances();
    for (const name of ['first', 'second']) {
      await define(one, deleteAll, name);
      for (const n of [1, 2]) await putAll(one, ['a'], { n }, name);
    }
    expect(await sweepRetention(one, restless)).toMatchObject([
      { collection: 'first', outcome: { deleted: 1, complete: true } },
      { collection: 'second', outcome: { deleted: 1, complete: true } },
    ]);
  });

  test('is made by one instance at a time, and a run by hand is told so', async () => {
    const [one, two] = await twoInstances();
    await history(one, 6);
    const seen: unknown[] = [];
    const rest = async () => {
      seen.push(await sweepRetention(two, restless));
      seen.push(await retain(two).catch(codeOf));
    };
    expect(await sweepRetention(one, { rest })).toMatchObject([{ outcome: { archived: 200 } }]);
    expect(new Set(seen)).toEqual(new Set([null, 'retention-running']));
    expect(await sweepRetention(two, restless)).toMatchObject([{ outcome: { archived: 0 } }]);
  });

  test('that is told to stop does so between two batches, and is gone on with', async () => {
    const [one, two] = await twoInstances();
    await history(one, 6);
    const controller = new AbortController();
    const rest = async () => controller.abort();
    expect(await sweepRetention(one, { rest, signal: controller.signal })).toMatchObject([
      { outcome: { archived: batch, complete: false } },
    ]);
    expect(await sweepRetention(two, restless)).toMatchObject([
      { outcome: { archived: 200 - batch, complete: true } },
    ]);
  });

  test('passes a collection that somebody runs by hand, and is not kept from the others', async () => {
    const [one, two] = await twoInstances();
    await history(one, 6);
    await define(one, deleteAll, 'other');
    for (const n of [1, 2]) await putAll(one, ['a'], { n }, 'other');
    const seen: unknown[] = [];
    const rest = async () => {
      if (seen.length === 0) seen.push(await sweepRetention(two, restless));
    };
    await retain(one, { rest });
    expect(seen).toMatchObject([[{ collection: 'other', outcome: { deleted: 1 } }]]);
  });
});
