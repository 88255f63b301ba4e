import { expect, onTestFinished, test } from 'vitest';
import type { Context } from '../../src/commands/context.js';
import { discardPending } from '../../src/commands/discard-pending.js';
import { patchPending } from '../../src/commands/patch-pending.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { validatePending } from '../../src/commands/validate-pending.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { getPending } from '../../src/queries/get-pending.js';
import type { Db } from '../../src/store/db.js';
import { auditStore } from '../support/audit.js';
import { codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { collection, define, putAll } from '../support/retention.js';

const at = (key: string) => ({ collection, key, changeset: null });
const anything = { ifMatch: { any: true } as const };

const stage = (context: Context, key: string, data: JsonObject | null = { n: 1 }, precondition = {}) =>
  stagePending(context, {
    ...at(key),
    staged: data === null ? { operation: 'delete' } : { operation: 'upsert', data },
    precondition,
    actor: ann,
  });

const patch = (context: Context, key: string, data: JsonObject) =>
  patchPending(context, {
    ...at(key),
    patch: { type: 'merge', patch: { data } },
    precondition: {},
    actor: ann,
  });

/** An instance with one connection, and what lets calls gather behind it. */
async function createGathering(): Promise<{
  context: Context;
  other: Context;
  hold: () => Promise<() => void>;
}> {
  const [context, other] = await createInstances(2, { poolSize: 1 });
  if (!context || !other) throw new Error('no instance');
  return {
    context,
    other,
    hold: async () => {
      const client = await context.db.pool.connect();
      return () => client.release();
    },
  };
}

/** Runs calls so that all but the first go together: the first group waits for the connection. */
async function together<T>(
  hold: () => Promise<() => void>,
  calls: (() => Promise<T>)[],
): Promise<(T | string)[]> {
  const release = await hold();
  const running = calls.map((call) => call());
  release();
  const outcomes = await Promise.allSettled(running);
  return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : codeOf(outcome.reason)));
}

/** The transactions that wrote the pending versions of these records. */
async function transactionsOf(db: Db, keys: string[]): Promise<string[]> {
  const rows = await db.query<{ key: string; xmin: string }>(
    `SELECT r.key, v.xmin::text FROM record r JOIN version v ON v.record_id = r.id AND v.revision IS NULL
     WHERE r.key = ANY ($1)`,
    [keys],
  );
  return keys.map((key) => rows.find((row) => row.key === key)?.xmin ?? 'none');
}

const isStaged = (value: unknown): value is Awaited<ReturnType<typeof stage>> =>
  typeof value === 'object' && value !== null && 'pending' in value;

test('edits that wait go into one transaction, and those that are refused leave the others alone and no trace', async () => {
  const { context, hold } = await createGathering();
  await define(context, {});
  await putAll(context, ['live', 'patched', 'doomed', 'idle'], { n: 0, kept: true });
  await stage(context, 'taken', { n: 1 });
  await stage(context, 'thrown');
  const outcomes = await together<unknown>(hold, [
    () => stage(context, 'first'),
    () => stage(context, 'new', { n: 2 }),
    () => stage(context, 'taken', { n: 9 }),
    () => patch(context, 'patched', { n: 3 }),
    () => patch(context, 'absent', { n: 3 }),
    () => stage(context, 'doomed', null),
    () => stage(context, 'no record', null),
    () => stage(context, 'strict', { n: 1 }, anything),
    () => discardPending(context, { ...at('thrown'), precondition: anything }),
    () => discardPending(context, { ...at('idle'), precondition: anything }),
    () =>
      stagePending(context, {
        ...at('x'),
        collection: 'nowhere',
        staged: { operation: 'delete' },
        precondition: {},
        actor: ann,
      }),
    () => stage(context, 'live', { n: 4 }),
  ]);
  expect(outcomes.map((outcome) => (isStaged(outcome) ? outcome.pending.data : outcome))).toEqual([
    { n: 1 },
    { n: 2 },
    'precondition-required',
    { n: 3, kept: true },
    'pending-not-found',
    null,
    'record-not-found',
    'precondition-failed',
    { revision: 2 },
    'pending-not-found',
    'collection-not-found',
    { n: 4 },
  ]);
  const transactions = await transactionsOf(context.db, ['new', 'patched', 'doomed', 'live']);
  expect(new Set(transactions).size).toBe(1);
  expect(transactions).not.toContain('none');
  const records = await context.db.query<{ key: string }>(`SELECT key FROM record ORDER BY key`);
  expect(records.map(({ key }) => key)).toEqual([
    'doomed',
    'first',
    'idle',
    'live',
    'new',
    'patched',
    'taken',
  ]);
  expect(await auditStore(context.db)).toEqual([]);
});

test('the answer is what a read finds afterwards', async () => {
  const { context, hold } = await createGathering();
  await define(context, {});
  await putAll(context, ['live'], { n: 0 });
  await stage(context, 'edited', { n: 1 });
  await validatePending(context, at('edited'));
  const bea = { name: 'bea', admin: false };
  const outcomes = await together(hold, [
    () => stage(context, 'first'),
    () => stage(context, 'live', { z: 1, a: [1, 'é\\"', null], n: -0 }),
    () =>
      stagePending(context, {
        ...at('edited'),
        staged: { operation: 'upsert', data: { n: 2 } },
        message: 'again',
        precondition: anything,
        actor: bea,
      }),
  ]);
  for (const [index, key] of ['first', 'live', 'edited'].entries()) {
    const { created, ...answer } = (outcomes[index] ?? {}) as { created: boolean };
    expect(JSON.parse(JSON.stringify(answer))).toEqual(
      JSON.parse(JSON.stringify(await getPending(context, at(key)))),
    );
    expect(created).toBe(key !== 'edited');
  }
});

test('two edits of one record are one after the other, and each sees those before it', async () => {
  const { context, hold } = await createGathering();
  await define(context, {});
  await putAll(context, ['counted'], { n: 0 });
  const outcomes = await together(hold, [
    () => stage(context, 'first'),
    () => patch(context, 'counted', { a: 1 }),
    () => patch(context, 'counted', { b: 1 }),
    () => stage(context, 'counted', { c: 1 }),
    () => patch(context, 'counted', { d: 1 }),
  ]);
  expect(outcomes.map((outcome) => (isStaged(outcome) ? outcome.pending.data : outcome))).toEqual([
    { n: 1 },
    { n: 0, a: 1 },
    { n: 0, a: 1, b: 1 },
    'precondition-required',
    { n: 0, a: 1, b: 1, d: 1 },
  ]);
});

/** Makes the database refuse outright whatever touches content that has this word. */
async function poison(db: Db, events: string): Promise<void> {
  await db.queryOnce(`
    CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'poison'; END $$;
    CREATE TRIGGER poison BEFORE ${events} ON version FOR EACH ROW
      WHEN (NEW.content LIKE '%poison%') EXECUTE FUNCTION poison();`);
}

test('one that the database refuses outright fails alone', async () => {
  const { context, hold } = await createGathering();
  await define(context, {});
  await poison(context.db, 'INSERT');
  const release = await hold();
  const calls = ['first', 'a', 'poison', 'b'].map((key) => stage(context, key, { is: key }));
  release();
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(await transactionsOf(context.db, ['poison'])).toEqual(['none']);
  expect(await auditStore(context.db)).toEqual([]);
});

test('an edit that is not written is not told of, as when somebody goes past the locks', async () => {
  const { context } = await createGathering();
  await define(context, {});
  await stage(context, 'a', { n: 1 });
  await context.db.queryOnce(
    `CREATE FUNCTION pass_over() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
     CREATE TRIGGER passes_over BEFORE UPDATE ON version FOR EACH ROW EXECUTE FUNCTION pass_over()`,
  );
  await expect(patch(context, 'a', { n: 2 })).rejects.toThrow('not written');
  expect((await getPending(context, at('a'))).pending.data).toEqual({ n: 1 });
});

test('a validation that cannot be kept fails alone', async () => {
  const { context, hold } = await createGathering();
  await define(context, {});
  const keys = ['first', 'a', 'poison', 'b'];
  for (const key of keys) await stage(context, key, { is: key });
  await poison(context.db, 'UPDATE');
  const release = await hold();
  const calls = keys.map((key) => validatePending(context, at(key)));
  release();
  const outcomes = await Promise.allSettled(calls);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
});

test('beyond ten thousand that wait, a call is told to come back', async () => {
  const { context, hold } = await createGathering();
  await define(context, {});
  const release = await hold();
  const discard = () => discardPending(context, { ...at('nothing'), precondition: {} });
  const waiting = Array.from({ length: 10_000 }, (_, index) =>
    discardPending(context, { ...at(`${index}`), precondition: {} }),
  );
  const refused = await discard().catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'not-ready', options: { retryAfterSeconds: 1 } });
  release();
  const outcomes = await Promise.allSettled(waiting);
  expect(new Set(outcomes.map((outcome) => outcome.status === 'rejected' && codeOf(outcome.reason)))).toEqual(
    new Set(['pending-not-found']),
  );
});

/** Holds a lock on a connection of its own until the test ends or it is let go. */
async function holdLock(db: Db, statement: string): Promise<() => Promise<void>> {
  const client = await db.pool.connect();
  await client.query('BEGIN');
  await client.query(statement);
  let isHeld = true;
  const release = async () => {
    if (!isHeld) return;
    isHeld = false;
    await client.query('ROLLBACK');
    client.release();
  };
  onTestFinished(release);
  return release;
}

test.each([
  ['a record', `SELECT FROM record WHERE key = 'locked' FOR UPDATE`],
  ['a collection', `SELECT FROM collection WHERE name = 'locked' FOR UPDATE`],
  [
    'a record that is being made',
    `INSERT INTO record (collection_id, key) SELECT id, 'locked' FROM collection WHERE name = '${collection}'`,
  ],
])('who waits for %s that somebody else has locked does not make others wait', async (_what, lock) => {
  const [context, other] = await createInstances(2, { poolSize: 3 });
  if (!context || !other) throw new Error('no instance');
  await define(context, {});
  await define(context, {}, 'locked');
  const isMade = lock.startsWith('INSERT');
  if (!isMade) await stage(context, 'locked', { n: 0 });
  const release = await holdLock(other.db, lock);
  const inLocked = lock.includes(`'locked' FOR UPDATE`) && lock.includes('FROM collection');
  const late = stagePending(context, {
    ...at('locked'),
    ...(inLocked ? { collection: 'locked' } : {}),
    staged: { operation: 'upsert', data: { n: 1 } },
    precondition: inLocked || isMade ? {} : anything,
    actor: ann,
  });
  let isLate = true;
  void late.then(() => {
    isLate = false;
  });
  await Promise.all(['a', 'b', 'c'].map((key) => stage(context, key)));
  await stage(context, 'd');
  expect(isLate).toBe(true);
  await release();
  expect((await late).pending.data).toEqual({ n: 1 });
});

test('a validation is kept although somebody was just writing the pending version', async () => {
  const [context, other] = await createInstances(2, { poolSize: 3 });
  if (!context || !other) throw new Error('no instance');
  await define(context, {});
  await stage(context, 'locked');
  const release = await holdLock(other.db, `SELECT FROM version FOR UPDATE`);
  const late = validatePending(context, at('locked'));
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  while ((await other.db.query(waiting)).length === 0);
  await release();
  await late;
  const { pending } = await getPending(context, at('locked'));
  expect(pending.validation.state).toBe('valid');
});

test('each of a group is judged by itself: two may claim the same value, as long as none is committed', async () => {
  const { context, hold } = await createGathering();
  await define(context, { unique: [['/sku']], schema: { required: ['sku'] } });
  await putAll(context, ['holder'], { sku: 'held' });
  const data = { first: { sku: 0 }, a: { sku: 1 }, b: { sku: 1 }, c: { sku: 'held' }, d: {} };
  for (const [key, value] of Object.entries(data)) await stage(context, key, value);
  const reports = await together(hold, [
    ...Object.keys(data).map((key) => () => validatePending(context, at(key))),
    () => validatePending(context, at('nobody')),
    () => validatePending(context, { ...at('a'), collection: 'nowhere' }),
  ]);
  expect(
    reports.map((report) =>
      typeof report === 'string' ? report : report.report.errors.map(({ code }) => code),
    ),
  ).toEqual([[], [], [], ['unique'], ['required'], 'pending-not-found', 'collection-not-found']);
});

test('two instances that stage the same records at once never lose an edit', async () => {
  const instances = await createInstances(2, { poolSize: 4 });
  const [context] = instances;
  if (!context) throw new Error('no instance');
  await define(context, {});
  const keys = Array.from({ length: 8 }, (_, index) => `r${index}`);
  // New records, so that both instances make them; the one that comes second is told of the other's.
  const made = await Promise.allSettled(
    instances.flatMap((instance) => keys.map((key) => stage(instance, key, { by: 'nobody' }))),
  );
  const codes = made.map((outcome) => (outcome.status === 'fulfilled' ? 'made' : codeOf(outcome.reason)));
  expect(codes.filter((code) => code === 'made')).toHaveLength(keys.length);
  expect(codes.filter((code) => code === 'precondition-required')).toHaveLength(keys.length);
  const edits = 12;
  await Promise.all(
    Array.from({ length: edits }, (_, edit) =>
      instances.flatMap((instance, who) =>
        keys.map((key) => patch(instance, key, { [`edit ${who} ${edit}`]: true })),
      ),
    ).flat(),
  );
  for (const key of keys) {
    const { pending } = await getPending(context, at(key));
    expect(Object.keys(pending.data ?? {})).toHaveLength(1 + instances.length * edits);
  }
  expect(await auditStore(context.db)).toEqual([]);
});

test('what is staged costs no more the longer the history of its record', async () => {
  const { context } = await createGathering();
  await define(context, {});
  const readVersions = async () => {
    await context.db.query('SELECT pg_stat_force_next_flush()');
    const [row] = await context.db.query<{ fetched: number }>(
      `SELECT idx_tup_fetch::float8 AS fetched FROM pg_stat_user_tables WHERE relname = 'version'`,
    );
    return row?.fetched ?? Number.NaN;
  };
  /** Versions that are read for one round of all calls. */
  const costOf = async (key: string) => {
    const before = await readVersions();
    await stage(context, key, { n: -1 });
    await patch(context, key, { m: 1 });
    await validatePending(context, at(key));
    await getPending(context, at(key));
    await discardPending(context, { ...at(key), precondition: anything });
    return (await readVersions()) - before;
  };
  await putAll(context, ['young'], { n: 0 });
  for (let n = 0; n < 100; n += 1) await putAll(context, ['old'], { n });
  // Statistics may make the planner prefer the index of a record's numbered versions: that one has to do as well.
  await context.db.queryOnce('ANALYZE version');
  await context.db.queryOnce('DROP INDEX version_one_pending, version_pending_id, version_changeset_id');
  expect(await costOf('old')).toBeLessThanOrEqual(await costOf('young'));
});
