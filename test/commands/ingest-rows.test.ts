import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { commitChangeset } from '../../src/commands/commit-changeset.js';
import type { Context } from '../../src/commands/context.js';
import { discardChangeset } from '../../src/commands/discard-changeset.js';
import { ingestRows } from '../../src/commands/ingest-rows.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { DiptychError } from '../../src/domain/errors.js';
import { lastOfEach } from '../../src/domain/ingest-report.js';
import { type RowsBody, readRow, sentRows } from '../../src/domain/ingest-row.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { listPending } from '../../src/queries/list-pending.js';
import { auditStore } from '../support/audit.js';
import { atOnce, codeOf } from '../support/barrier.js';
import { openChangeset } from '../support/changeset.js';
import { ann, createInstances } from '../support/context.js';
import { twoInstances } from '../support/races.js';

const collection = 'things';
const anything = { ifMatch: { any: true } as const };

const define = (context: Context, name = collection) =>
  putCollection(context, { collection: name, definition: {}, precondition: {}, actor: ann });

function ingest(
  context: Context,
  body: RowsBody,
  {
    changeset = null,
    commit = false,
    into = collection,
  }: { changeset?: string | null; commit?: boolean; into?: string } = {},
) {
  const fields = { keyField: 'id', rowKindField: 'kind' };
  return ingestRows(context, { collection: into, body, fields, changeset, commit, actor: ann });
}

const put = (context: Context, changes: Record<string, JsonObject>) =>
  commitChanges(context, {
    changes: Object.entries(changes).map(([key, data]) => ({ collection, key, operation: 'put', data })),
    dryRun: false,
    actor: ann,
  });

async function pendingOf(context: Context, changeset: string | null, name = collection) {
  const { page } = await listPending(context, { ...(changeset === null ? {} : { changeset }), limit: 1000 });
  const own = page.items.filter((item) => item.changeset === changeset && item.collection === name);
  return new Map(own.map(({ key, data }) => [key, data]));
}

async function liveOf({ db }: Context, name = collection) {
  const rows = await db.query<{ key: string; content: string }>(
    `SELECT r.key, v.content FROM record r JOIN version v ON v.id = r.current_version_id
     JOIN collection c ON c.id = r.collection_id WHERE c.name = $1`,
    [name],
  );
  return new Map(rows.map(({ key, content }) => [key, JSON.parse(content) as JsonObject]));
}

/** Records that nothing holds: neither was one committed nor is one pending. */
const emptyRecords = ({ db }: Context) =>
  db.query(
    'SELECT key FROM record r WHERE revision IS NULL AND NOT EXISTS (SELECT FROM version v WHERE v.record_id = r.id)',
  );

/** How often the server has had to break a deadlock in this database. */
async function deadlocks({ db }: Context): Promise<number> {
  await db.query('SELECT pg_stat_force_next_flush()');
  const [row] = await db.query<{ count: number }>(
    'SELECT deadlocks AS count FROM pg_stat_database WHERE datname = current_database()',
  );
  return row?.count ?? Number.NaN;
}

/** Keeps what a statement locks or writes until it is let go, on a connection of another instance. */
async function hold({ db }: Context, statement: string) {
  const client = await db.pool.connect();
  await client.query('BEGIN');
  await client.query(statement);
  let isHeld = true;
  const letGo = async () => {
    if (!isHeld) return;
    isHeld = false;
    await client.query('COMMIT');
    client.release();
  };
  onTestFinished(letGo);
  return {
    untilWaiting: async (sessions: number) => {
      for (let waiting = 0; waiting < sessions; ) {
        const found = await db.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
        );
        waiting = found.length;
      }
    },
    letGo,
  };
}

type Row = { id: string; n: number; kind: '+I' | '-U' | '+U' | '-D' };

const key = fc.constantFrom('a', 'b', 'c', 'd');
const row: fc.Arbitrary<Row> = fc.record({
  id: key,
  n: fc.integer({ min: 0, max: 2 }),
  kind: fc.constantFrom('+I', '-U', '+U', '-D'),
});

test('does what the model does, whatever is staged where and committed between', async () => {
  const way = fc.constantFrom('alone', 'changeset', 'commit');
  const call = fc.tuple(way, fc.array(row, { maxLength: 8 }));
  const [context] = await createInstances(1);
  if (context === undefined) throw new Error('no instance');
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 8 }), async (calls) => {
      runs += 1;
      const into = `things${runs}`;
      await define(context, into);
      const changeset = await openChangeset(context);
      const live = new Map<string, JsonObject>();
      const waiting = {
        alone: new Map<string, JsonObject | null>(),
        changeset: new Map<string, JsonObject | null>(),
      };
      for (const [at, rows] of calls) {
        const wanted = new Map<string, JsonObject | null>();
        for (const { id, n, kind } of rows)
          if (kind !== '-U') wanted.set(id, kind === '-D' ? null : { id, n });
        const changed = new Set<string>();
        const isSame = (one: JsonObject | null | undefined, other: JsonObject | null | undefined) =>
          JSON.stringify(one) === JSON.stringify(other);
        for (const [id, data] of wanted) {
          const isLive = isSame(live.get(id) ?? null, data);
          if (at === 'commit') {
            if (!isLive) changed.add(id);
            if (data === null) live.delete(id);
            else live.set(id, data);
            continue;
          }
          const held = waiting[at];
          if (isLive ? held.has(id) : !isSame(held.get(id), data)) changed.add(id);
          if (isLive) held.delete(id);
          else held.set(id, data);
        }
        const skipped = rows.filter(({ kind }) => kind === '-U').length;
        const staged = rows.filter(({ id, kind }) => kind !== '-U' && changed.has(id)).length;
        const before = await context.db.query<{ revision: number }>('SELECT revision FROM head');
        const { report, revision } = await ingest(context, rows, {
          changeset: at === 'changeset' ? changeset : null,
          commit: at === 'commit',
          into,
        });
        expect(report).toMatchObject({
          staged,
          skipped,
          unchanged: rows.length - staged - skipped,
          failed: 0,
        });
        expect(revision).toBe((before[0]?.revision ?? 0) + (at === 'commit' && changed.size > 0 ? 1 : 0));
        expect(await liveOf(context, into)).toEqual(live);
        expect(await pendingOf(context, null, into)).toEqual(waiting.alone);
        expect(await pendingOf(context, changeset, into)).toEqual(waiting.changeset);
      }
      expect(await emptyRecords(context)).toEqual([]);
    }),
    { numRuns: 30 },
  );
  expect(await auditStore(context.db)).toEqual([]);
});

test('a pending version that is replaced keeps its base, so that nothing newer is overwritten unseen', async () => {
  const [context] = await createInstances(1);
  if (context === undefined) throw new Error('no instance');
  await define(context);
  await put(context, { a: { n: 1 } });
  await ingest(context, { id: 'a', n: 2 });
  await put(context, { a: { n: 3 } });
  await ingest(context, { id: 'a', n: 4 });
  const { page } = await listPending(context, { limit: 10 });
  expect(page.items).toMatchObject([{ baseVersion: 1, currentVersion: 2, outdated: true, data: { n: 4 } }]);
});

test('rows that have gone live are counted without the database, which may be away by then', async () => {
  let isAway = false;
  const away = () => Promise.reject(new DiptychError('not-ready', 'No connection.'));
  const [context] = await createInstances(1, {
    wrap: (db) => ({ ...db, query: (text, values) => (isAway ? away() : db.query<never>(text, values)) }),
  });
  if (context === undefined) throw new Error('no instance');
  await define(context);
  await put(context, { r1: { id: 'r1' }, r1199: { id: 'r1199' } });
  isAway = true;
  const rows = Array.from({ length: 1200 }, (_, index) => ({ id: `r${index}` }));
  const { report } = await ingest(context, [...rows, { id: 'r1199' }, { id: 'r0' }], { commit: true });
  expect(report).toMatchObject({ staged: 1199, unchanged: 3 });
});

describe('calls at once', () => {
  const ids = Array.from({ length: 40 }, (_, index) => `k${index}`);
  const shuffled = (seed: number) =>
    ids
      .map((id, index) => [(index * 7919 + seed * 104_729) % 211, id] as const)
      .sort(([a], [b]) => a - b)
      .map(([, id]) => id);

  test('on the same records, in any order, from two instances: none fails, none waits in a circle, each is whole', async () => {
    const [one, two] = await twoInstances();
    await define(one);
    await put(
      one,
      Object.fromEntries(ids.filter((_, index) => index % 3 === 0).map((id) => [id, { id, by: -1 }])),
    );
    const ends = await atOnce(12, async (party) => {
      const context = party % 2 === 0 ? one : two;
      for (const round of [0, 1, 2]) {
        const rows = shuffled(party + round).map((id, index) =>
          (index + party + round) % 5 === 0 ? { id, kind: '-D' } : { id, by: party * 10 + round },
        );
        if (party % 3 === 2) await ingest(context, rows, { commit: true });
        else await ingest(context, rows);
      }
    });
    expect(ends.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(await deadlocks(one)).toBe(0);
    expect(await emptyRecords(one)).toEqual([]);
    expect(await auditStore(one.db)).toEqual([]);
    // The last commit of all is whole: what it did not delete is by one party and round.
    const authors = new Set([...(await liveOf(one)).values()].map(({ by }) => by));
    expect(authors.size).toBe(1);
  });

  test('a record that somebody else makes meanwhile is staged into all the same', async () => {
    const [one, two] = await twoInstances();
    await define(one);
    const other = await hold(
      two,
      `INSERT INTO record (collection_id, key) SELECT id, 'b' FROM collection WHERE name = 'things'`,
    );
    const call = ingest(one, [{ id: 'c' }, { id: 'b' }, { id: 'a' }]);
    await other.untilWaiting(1);
    await other.letGo();
    expect((await call).report).toMatchObject({ staged: 3 });
    expect([...(await pendingOf(one, null)).keys()].sort()).toEqual(['a', 'b', 'c']);
  });

  test('those that wait for one another take no connection', async () => {
    const [one, two] = await twoInstances();
    await define(one);
    await put(one, { a: { id: 'a' } });
    const other = await hold(two, `SELECT FROM record WHERE key = 'a' FOR UPDATE`);
    const calls = Array.from({ length: 20 }, (_, n) => ingest(one, { id: 'a', n }));
    await other.untilWaiting(1);
    const { totalCount, idleCount, waitingCount } = one.db.pool;
    expect([totalCount - idleCount, waitingCount]).toEqual([1, 0]);
    await other.letGo();
    await Promise.all(calls);
    expect(await pendingOf(one, null)).toEqual(new Map([['a', { id: 'a', n: 19 }]]));
  });

  /** Starts calls behind one that somebody else keeps waiting, lets them go on, and answers how each ended. */
  async function together(one: Context, two: Context, start: () => Promise<unknown>[]) {
    await put(one, { held: { id: 'held' } });
    const other = await hold(two, `SELECT FROM record WHERE key = 'held' FOR UPDATE`);
    const first = ingest(one, { id: 'held', n: 1 });
    await other.untilWaiting(1);
    const calls = start().map((call) => call.then(() => 'done', codeOf));
    await other.letGo();
    await first;
    return await Promise.all(calls);
  }

  /** The keys of pending versions by the transactions that wrote them. */
  async function transactionsOf({ db }: Context): Promise<string[][]> {
    const rows = await db.query<{ keys: string[] }>(
      `SELECT array_agg(r.key ORDER BY r.key) AS keys FROM version v JOIN record r ON r.id = v.record_id
       WHERE v.number IS NULL GROUP BY v.xmin::text ORDER BY keys`,
    );
    return rows.map(({ keys }) => keys);
  }

  /** Rows that have been read, so that calls come in the order in which they are made. Answers the keys that it changed. */
  async function submit({ ingests, limits }: Context, rows: JsonObject[]): Promise<string[]> {
    const read = sentRows(rows).map((sent) => {
      const outcome = readRow(sent, { keyField: 'id', rowKindField: 'kind' }, limits);
      if ('read' in outcome) return outcome.read;
      throw new Error('a row that cannot be taken');
    });
    const call = { collection, changeset: null, rows: lastOfEach(read), author: 'ann' };
    return [...(await ingests.submit(call)).changed];
  }

  test('those that wait go together in one transaction, each as if alone', async () => {
    const [one, two] = await twoInstances();
    await define(one);
    await put(one, { same: { id: 'same' }, gone: { id: 'gone' } });
    const changed = new Map<string, string[]>();
    const note = async (name: string, rows: JsonObject[]) => changed.set(name, await submit(one, rows));
    const ends = await together(one, two, () => [
      note('first', [{ id: 'a' }, { id: 'b', kind: '-U' }]),
      note('unchanged', [{ id: 'same' }]),
      note('overlaps', [{ id: 'gone', kind: '-D' }, { id: 'same' }, { id: 'c' }]),
      note('overlaps what waits', [{ id: 'gone', kind: '-D' }, { id: 'd' }]),
      note('empty', []),
      note('last', [{ id: 'e' }]),
    ]);
    expect(ends).toEqual(Array(6).fill('done'));
    expect(Object.fromEntries(changed)).toEqual({
      first: ['a'],
      unchanged: [],
      overlaps: ['gone', 'c'],
      'overlaps what waits': ['d'],
      empty: [],
      last: ['e'],
    });
    expect(await transactionsOf(one)).toEqual([['a', 'e'], ['c', 'gone'], ['d'], ['held']]);
  });

  test('rows of one record apply in the order in which the calls came, whatever goes together', async () => {
    const [one, two] = await twoInstances();
    await define(one);
    const ends = await together(one, two, () => [
      submit(one, [{ id: 'a', n: 1 }]),
      submit(one, [
        { id: 'a', n: 2 },
        { id: 'b', n: 2 },
      ]),
      submit(one, [{ id: 'b', n: 3 }]),
      submit(one, [{ id: 'a', kind: '-D' }]),
      submit(one, [{ id: 'c', n: 5 }]),
    ]);
    expect(ends).toEqual(Array(5).fill('done'));
    expect(await pendingOf(one, null)).toEqual(
      new Map<string, JsonObject>([
        ['held', { id: 'held', n: 1 }],
        ['b', { id: 'b', n: 3 }],
        ['c', { id: 'c', n: 5 }],
      ]),
    );
    expect(await emptyRecords(one)).toEqual([]);
  });

  test.each(['55P03', 'P0001'])('one that the database fails with %s fails alone', async (state) => {
    const [one, two] = await twoInstances();
    await define(one);
    await two.db.queryOnce(
      `CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no' USING ERRCODE = '${state}'; END $$;
       CREATE TRIGGER fail BEFORE INSERT ON record FOR EACH ROW WHEN (NEW.key = 'bad') EXECUTE FUNCTION fail()`,
    );
    const failures: unknown[] = [];
    const ends = await together(one, two, () => [
      ingest(one, { id: 'a' }),
      ingest(one, [{ id: 'b' }, { id: 'bad' }]).catch((error) => failures.push(error)),
      ingest(one, { id: 'c' }),
    ]);
    expect(ends).toEqual(['done', 'done', 'done']);
    expect(failures).toHaveLength(1);
    expect([...(await pendingOf(one, null)).keys()].sort()).toEqual(['a', 'c', 'held']);
  });

  test('in a changeset each counts as an edit that changes something, by its own author; a collection that is missing is refused alone', async () => {
    const [one, two] = await twoInstances();
    await define(one);
    await define(one, 'others');
    const changeset = await openChangeset(one);
    const editOf = async () => {
      const rows = await one.db.query<{ edit: number }>('SELECT edit FROM changeset');
      return rows[0]?.edit ?? Number.NaN;
    };
    const before = await editOf();
    const as = (name: string, id: string, into = collection) =>
      ingestRows(one, {
        collection: into,
        body: [{ id }],
        fields: { keyField: 'id' },
        changeset,
        commit: false,
        actor: { name, admin: false },
      });
    const other = await hold(two, `SELECT FROM changeset FOR UPDATE`);
    const first = as('ann', 'first');
    await other.untilWaiting(1);
    const calls = [
      as('bob', 'b'),
      as('cid', 'x', 'missing'),
      as('dan', 'd', 'others'),
      as('eve', 'a'),
      as('eve', 'first'),
      as('eve', 'e', 'others'),
    ].map((call) => call.then(() => 'done', codeOf));
    await other.letGo();
    await first;
    expect(await Promise.all(calls)).toEqual([
      'done',
      'collection-not-found',
      'done',
      'done',
      'done',
      'done',
    ]);
    expect(await editOf()).toBe(before + 5);
    expect(await transactionsOf(one)).toEqual([['a', 'b'], ['d', 'e'], ['first']]);
    const { page } = await listPending(one, { changeset, limit: 10 });
    expect(page.items.map(({ key, stagedBy }) => [key, stagedBy])).toEqual([
      ['first', ['ann']],
      ['b', ['bob']],
      ['a', ['eve']],
      ['d', ['dan']],
      ['e', ['eve']],
    ]);
  });

  /** Whoever waits for a changeset for a second is told to come back, and does. */
  async function comingBack(work: () => Promise<unknown>): Promise<string> {
    for (;;) {
      const end = await work().then(() => 'done', codeOf);
      if (end !== 'changeset-busy') return end;
    }
  }

  test('a changeset that is discarded meanwhile keeps nothing of them, and refuses those that come later', async () => {
    const [one, two] = await twoInstances();
    await define(one);
    for (const round of [1, 2, 3, 4]) {
      const changeset = await openChangeset(one);
      const call = (context: Context, id: string) =>
        comingBack(() => ingest(context, [{ id, round }, { id: 'shared' }], { changeset }));
      const ends = await atOnce(5, async (party) => {
        if (party > 0) return await call(party % 2 === 0 ? one : two, `new ${party}`);
        return await comingBack(() =>
          discardChangeset(two, { id: changeset, precondition: anything, actor: ann }),
        );
      });
      const values = ends.map((end) => (end.status === 'fulfilled' ? end.value : end.reason));
      expect(values[0]).toBe('done');
      for (const value of values) expect(['done', 'changeset-closed']).toContain(value);
      expect(await call(one, 'late')).toBe('changeset-closed');
      expect(await pendingOf(one, changeset)).toEqual(new Map());
      expect(await one.db.query('SELECT key FROM record')).toEqual([]);
    }
  });

  test('a changeset that is committed meanwhile has all rows of a call, or none', async () => {
    const [one, two] = await twoInstances();
    await define(one);
    for (const round of [1, 2, 3, 4]) {
      const changeset = await openChangeset(one);
      await ingest(one, [{ id: 'base', round }], { changeset });
      const rows = ids.slice(0, 10).map((id) => ({ id, round }));
      const [staged, committed] = await atOnce(2, (party) =>
        comingBack(() =>
          party === 0
            ? ingest(one, rows, { changeset })
            : commitChangeset(two, { id: changeset, precondition: anything, actor: ann }),
        ),
      );
      expect(committed).toEqual({ status: 'fulfilled', value: 'done' });
      const live = [...(await liveOf(one)).values()].filter(
        (data) => data.round === round && data.id !== 'base',
      );
      const isStaged = live.length === rows.length;
      expect([0, rows.length]).toContain(live.length);
      expect(staged).toEqual({ status: 'fulfilled', value: isStaged ? 'done' : 'changeset-closed' });
    }
  });
});
