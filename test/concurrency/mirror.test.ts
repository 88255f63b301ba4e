import type pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { auditStore } from '../support/audit.js';
import { atOnce, codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { type FollowedChange, follow } from '../support/follower.js';
import { holdHead } from '../support/hold-head.js';
import { auditMirrors, listMirrors, readLive, readMirror } from '../support/mirror.js';
import { commitWhole, define } from '../support/release.js';
import { size } from '../support/size.js';

const anything = { ifMatch: { any: true as const } };
const mirrored = { mirror: true };

async function start(): Promise<[Context, Context]> {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  await define(one, 'things', {});
  return [one, two];
}

async function commit(context: Context, records: Record<string, JsonObject | null>, collection = 'things') {
  const changes = Object.entries(records).map(([key, data]) =>
    data === null
      ? { collection, key, operation: 'delete' as const }
      : { collection, key, operation: 'put' as const, data },
  );
  return (await commitChanges(context, { changes, dryRun: false, actor: ann })).result.revision;
}

/** A session of somebody else, in an open transaction. */
async function openSession({ db }: Context, sql: string): Promise<pg.PoolClient> {
  const client = await db.pool.connect();
  onTestFinished(async () => {
    await client.query('ROLLBACK');
    client.release();
  });
  await client.query('BEGIN');
  await client.query(sql);
  return client;
}

describe('while a mirror is turned on', () => {
  test('commits of both instances that wait before it and behind it are all in it', async () => {
    const [one, two] = await start();
    await commit(one, { before: {}, gone: {}, moved: { n: 1 } });
    const head = await holdHead(two.db);
    const earlier = commit(two, { earlier: {}, gone: null });
    await head.untilWaiting(1);
    const turnedOn = define(one, 'things', mirrored, anything);
    await head.untilWaiting(2);
    const later = [commit(one, { later: {}, moved: { n: 2 } }), commit(two, { last: {}, before: null })];
    await head.untilWaiting(3);
    await head.release();
    await Promise.all([earlier, turnedOn, ...later]);
    expect((await readMirror(one.db, 'things'))?.map(({ key, data }) => [key, data])).toEqual([
      ['earlier', '{}'],
      ['last', '{}'],
      ['later', '{}'],
      ['moved', '{"n":2}'],
    ]);
    expect(await auditStore(one.db)).toEqual([]);
  });

  test('and off again and again, nothing is missing and nothing is left, for those who follow as well', async () => {
    const [one, two] = await start();
    const { read } = await follow(one.db.pool.options.connectionString ?? '');
    const copy = new Map<string, string>();
    const rounds = size(6, 60);
    for (let round = 0; round < rounds; round += 1) {
      const outcomes = await atOnce(6, async (party) => {
        const context = party % 2 === 0 ? one : two;
        if (party === 0) return await define(context, 'things', mirrored, anything);
        if (party === 1 && round % 2 === 0) return await define(context, 'things', {}, anything);
        for (let n = 0; n < 5; n += 1)
          await commit(context, {
            [`k${party}`]: { round, n },
            [`n${party}-${n}`]: n % 2 ? { round } : null,
          });
      });
      for (const { status, reason } of outcomes as PromiseRejectedResult[])
        if (status === 'rejected') expect(['record-not-found', 'not-ready']).toContain(codeOf(reason));
      expect(await auditMirrors(one.db)).toEqual([]);
    }
    await define(one, 'things', {}, anything);
    await read();
    await define(one, 'things', mirrored, anything);
    await commit(two, { k2: { done: true } });
    apply(copy, await read());
    expect(copy).toEqual(await liveOf(one));
    expect(await auditStore(one.db)).toEqual([]);
  });
});

/** What a reader makes of what it is sent, as it goes along: it never gets what does not fit. */
function apply(copy: Map<string, string>, transactions: FollowedChange[][]): void {
  for (const { before, after } of transactions.flat()) {
    if (before !== null) {
      const old = copy.get(before.key ?? '');
      if (old !== before.data) throw new Error(`${before.key} was ${old}, not ${before.data}`);
      copy.delete(before.key ?? '');
    } else if (copy.has(after?.key ?? '')) throw new Error(`${after?.key} is there already`);
    if (after !== null) copy.set(after.key ?? '', after.data ?? '');
  }
}

const liveOf = async ({ db }: Context) =>
  new Map((await readLive(db, 'things')).map(({ key, data }) => [key, data]));

test('who follows commits of two instances has exactly what is live, and every revision in its order', async () => {
  const [one, two] = await start();
  await define(one, 'things', mirrored, anything);
  const { read } = await follow(one.db.pool.options.connectionString ?? '');
  const each = size(25, 400);
  await atOnce(8, async (party) => {
    const context = party % 2 === 0 ? one : two;
    for (let n = 0; n < each; n += 1) {
      await commit(context, { shared: { party, n }, [`own-${party}`]: n % 3 === 2 ? null : { n } });
    }
  });
  const transactions = await read();
  const copy = new Map<string, string>();
  apply(copy, transactions);
  expect(copy).toEqual(await liveOf(one));
  // A deletion carries the revision of the row that was there.
  const revisions = transactions.flat().flatMap(({ after }) => (after ? [Number(after.revision)] : []));
  expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
  expect(new Set(revisions).size).toBe(8 * each);
});

describe('somebody else’s lock', () => {
  test('on a mirror refuses commits with 503 instead of holding them for ever, and other collections go on', async () => {
    const [one, two] = await start();
    await define(one, 'things', mirrored, anything);
    await define(one, 'plain', {});
    await commit(one, { a: { n: 1 } });
    const session = await openSession(two, 'LOCK TABLE mirror.things');
    await expect(commit(one, { a: { n: 2 } })).rejects.toMatchObject({ code: 'not-ready' });
    await commit(one, { a: {} }, 'plain');
    await session.query('ROLLBACK');
    await commit(one, { a: { n: 3 } });
    expect(await auditStore(one.db)).toEqual([]);
  });

  test('on a row of a mirror does so for commits of that row alone', async () => {
    const [one, two] = await start();
    await define(one, 'things', mirrored, anything);
    await commit(one, { a: { n: 1 } });
    await openSession(two, `SELECT FROM mirror.things WHERE key = 'a' FOR UPDATE`);
    await commit(one, { b: { n: 1 } });
    await expect(commit(one, { a: { n: 2 } })).rejects.toMatchObject({ code: 'not-ready' });
    expect(await auditMirrors(one.db)).toEqual([]);
  });

  test('a reader’s open transaction: commits go on, and the mirror cannot be removed until it ends', async () => {
    const [one, two] = await start();
    await define(one, 'things', mirrored, anything);
    await commit(one, { a: { n: 1 } });
    const session = await openSession(two, 'SELECT FROM mirror.things');
    await commit(one, { a: { n: 2 } });
    await expect(define(one, 'things', {}, anything)).rejects.toMatchObject({ code: 'not-ready' });
    expect((await listMirrors(one.db)).tables).toEqual(['things']);
    await session.query('ROLLBACK');
    await define(one, 'things', {}, anything);
    expect(await auditStore(one.db)).toEqual([]);
  });
});

test('a changeset of ten thousand members arrives as one transaction', async () => {
  const [one] = await start();
  await define(one, 'things', mirrored, anything);
  const { read } = await follow(one.db.pool.options.connectionString ?? '');
  const members = Array.from({ length: 10_000 }, (_, n) => `k${(n * 7919) % 10_007}`);
  const id = await insertChangeset(one, members);
  const { result } = await commitWhole(one, id);
  expect(result.changeCount).toBe(10_000);
  const transactions = await read();
  expect(transactions.map((changes) => changes.length)).toEqual([10_000]);
  expect(await auditMirrors(one.db)).toEqual([]);
});

/** An open changeset that creates these records, without a call for each. */
async function insertChangeset({ db }: Context, keys: string[]): Promise<string> {
  const [row] = await db.query<{ id: string }>(
    `INSERT INTO changeset (title, created_by) VALUES ('large', 'ann') RETURNING id`,
  );
  const id = row?.id ?? '';
  await db.query(
    `WITH added AS (
       INSERT INTO record (collection_id, key)
       SELECT c.id, key FROM collection c, unnest($1::text[]) AS key WHERE c.name = 'things' RETURNING id, key
     )
     INSERT INTO version (record_id, operation, content, digest, changeset_id, staged_by, staged_at, updated_at)
     SELECT a.id, 'upsert', '{}', sha256('{}'), $2::uuid, '{ann}', now(), now() FROM added a`,
    [keys, id],
  );
  return id;
}
