import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildIndexes } from '../../src/commands/build-indexes.js';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { type Context, createContext } from '../../src/commands/context.js';
import { discardPending } from '../../src/commands/discard-pending.js';
import { ingestRows } from '../../src/commands/ingest-rows.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { validatePending } from '../../src/commands/validate-pending.js';
import { unfiltered } from '../../src/domain/feed-change.js';
import type { Filter, Sort } from '../../src/domain/list-query.js';
import { sortValueOf } from '../../src/domain/sort-value.js';
import { listChangesets, listDueChangesets, listMembers } from '../../src/store/changesets.js';
import { type Db, type Executor, openDatabase, type Tx } from '../../src/store/db.js';
import { findFeedPosition, listFeed, listFeedAt, listFeedPositions } from '../../src/store/feed.js';
import { findHead } from '../../src/store/head.js';
import { findMovedKeys, lockRowStandings } from '../../src/store/ingest.js';
import { findJudged } from '../../src/store/judged-pendings.js';
import { enterRecords } from '../../src/store/list-indexes.js';
import { type ListRequest, listRecordStates } from '../../src/store/list-records.js';
import { listChanges, listCommits, listCommitsBetween } from '../../src/store/log.js';
import { lockStands } from '../../src/store/pending-stands.js';
import { findVersions, listVersions } from '../../src/store/readers.js';
import { findRecordStates } from '../../src/store/record-states.js';
import {
  findNamedRecords,
  findRecords,
  lockNamedRecords,
  lockStands as lockPreparedStands,
  lockUnmoved,
} from '../../src/store/records.js';
import { findCommitted, findPending, listPending } from '../../src/store/versions.js';
import { openChangeset } from '../support/changeset.js';
import { ann, createInstances } from '../support/context.js';
import { createTestDatabase } from '../support/database.js';
import { readingsOf } from '../support/plans.js';

const collection = 'items';
const tables = ['record', 'version', 'change', 'unique_value', 'reference', 'commit'];
/** PostgreSQL makes the plan that it keeps from the sixth execution on. */
const small = 8;
const large = 500;

async function commitAll(context: Context, keys: string[], n: number): Promise<void> {
  const changes = keys.map((key) => ({
    collection,
    key,
    operation: 'put' as const,
    data: { slug: `${key} ${n}`, parent: keys[0] ?? '' },
  }));
  await commitChanges(context, { changes, dryRun: false, actor: ann });
}

/** How often each table has been read from its beginning to its end. */
async function countScans({ db }: Context): Promise<number> {
  await db.query('SELECT pg_stat_force_next_flush()');
  const [row] = await db.query<{ scans: number }>(
    'SELECT sum(seq_scan)::float8 AS scans FROM pg_stat_user_tables WHERE relname = ANY ($1)',
    [tables],
  );
  return row?.scans ?? Number.NaN;
}

test('a large commit scans no table, though each plan was made when the tables were tiny', async () => {
  // One connection, so that it is the one that keeps those plans.
  const [context] = await createInstances(1, { poolSize: 2 });
  if (context === undefined) throw new Error('no instance');
  const references = [{ pointer: '/parent', collection }];
  await putCollection(context, { collection, definition: {}, precondition: {}, actor: ann });
  await putCollection(context, {
    collection,
    definition: { unique: [['/slug']], references },
    precondition: { ifMatch: { any: true } },
    actor: ann,
  });
  for (let n = 0; n < small; n += 1) await commitAll(context, ['root'], n);
  const keys = ['root', ...Array.from({ length: large }, (_, index) => `key ${index}`)];
  const before = await countScans(context);
  await commitAll(context, keys, 100);
  await commitAll(context, keys, 101);
  expect(await countScans(context)).toBe(before);
});

/** Entries of indexes that have been read. */
async function countReadings({ db }: Context): Promise<number> {
  await db.query('SELECT pg_stat_force_next_flush()');
  const [row] = await db.query<{ entries: number }>(
    'SELECT sum(idx_tup_read)::float8 AS entries FROM pg_stat_user_indexes WHERE relname = ANY ($1)',
    [tables],
  );
  return row?.entries ?? Number.NaN;
}

test('each row of a large call is found by its record, though each plan was made when little waited', async () => {
  const [context] = await createInstances(1, { poolSize: 1 });
  if (context === undefined) throw new Error('no instance');
  await putCollection(context, { collection, definition: {}, precondition: {}, actor: ann });
  const ingest = async (count: number, more: object, changeset: string | null = null) => {
    const body = Array.from({ length: count }, (_, id) => ({ id, ...more }));
    const fields = { keyField: 'id', rowKindField: 'kind' };
    await ingestRows(context, { collection, body, fields, changeset, commit: false, actor: ann });
  };
  const changeset = await openChangeset(context);
  const calls = [{}, {}, { n: 1 }, { kind: '-D' }, {}];
  for (const at of [null, changeset]) {
    for (let n = 0; n < small; n += 1) for (const more of calls) await ingest(1, more, at);
    const before = await countReadings(context);
    for (const more of calls) await ingest(large, more, at);
    // A few of each row and call: the record, its versions, and what keys and triggers look up.
    expect(await countReadings(context)).toBeLessThan(before + 40 * calls.length * large);
  }
});

test('staging and validating look at a few rows of their record, by plans that are kept, before there are statistics', async () => {
  const [context] = await createInstances(1, { poolSize: 1 });
  if (context === undefined) throw new Error('no instance');
  await putCollection(context, { collection, definition: {}, precondition: {}, actor: ann });
  const keys = Array.from({ length: large }, (_, index) => `key ${index}`);
  await commitAll(context, keys, 0);
  const stageAndValidate = async (at: { collection: string; key: string; changeset: null }) => {
    const staged = { operation: 'upsert' as const, data: { slug: 'new', parent: '' } };
    await stagePending(context, { ...at, staged, precondition: {}, actor: ann });
    await validatePending(context, at);
    await discardPending(context, { ...at, precondition: { ifMatch: { any: true } } });
  };
  const before = await countReadings(context);
  for (const key of keys.slice(0, 2 * small)) await stageAndValidate({ collection, key, changeset: null });
  expect(await countReadings(context)).toBeLessThan(before + 100 * 2 * small);
  const planned = await context.db.query<{ statement: string }>(
    'SELECT statement FROM pg_prepared_statements WHERE custom_plans > 5',
  );
  expect(planned).toEqual([]);
});

describe('the plan that a connection keeps', () => {
  const limit = 50;
  let db: Db;
  let head: number;
  let ids: Record<'large' | 'buried' | 'deep', number>;
  let recordIds: number[];
  let changesets: string[];

  beforeAll(async () => {
    const database = await createTestDatabase();
    db = openDatabase({ url: database.url, poolSize: 2 });
    await seed(database.url, db);
    head = (await findHead(db)).revision;
    const rows = await db.query<{ name: string; id: number }>('SELECT name, id FROM collection');
    const idOf = (name: string) => rows.find((row) => row.name === name)?.id ?? 0;
    ids = { large: idOf('large'), buried: idOf('buried'), deep: idOf('deep') };
    const made = await db.query<{ id: string; recordId: number }>(
      `SELECT s.id, (SELECT max(record_id) FROM version WHERE changeset_id = s.id) AS "recordId" FROM changeset s ORDER BY ordinal LIMIT 2`,
    );
    changesets = made.map(({ id }) => id);
    recordIds = made.map(({ recordId }) => recordId);
    return async () => {
      await db.close();
      await database.drop();
    };
  });

  const deep = { collection: 'deep', key: 'deep' };
  const ofList =
    (question: Partial<ListRequest>, at: 'large' | 'buried' = 'large') =>
    async (executor: Executor) => {
      const asked = {
        collectionId: ids[at],
        revision: head,
        changesetId: null,
        keyPrefix: undefined,
        filters: [],
        sort: [],
        after: null,
      };
      await listRecordStates(executor, { ...asked, limit, maxBytes: 1_000_000, ...question });
    };
  const price = (op: Filter['op'], value: string): Filter => ({ path: 'price', op, value });
  const byPrice = (descending: boolean): Sort[] => [{ path: 'price', descending }];
  const position = [sortValueOf(500).toString('hex'), 'r00000500'];
  const upToDate = { maxContentBytes: 1_000_000 };
  const feed = { after: { revision: 103, ordinal: 0 }, upTo: 100_000, filter: unfiltered, limit };

  interface Hot {
    does: string;
    run: (executor: Executor) => Promise<unknown>;
    /** Of those of its indexes that have the order of the answer. */
    ordered?: string[];
    /** Rows that any of its steps may look at; a page has 50, each statement reads one further. */
    rows?: number;
  }

  // A line for each statement that is sent all the time, or has to stay as fast however much there is.
  const hot = (): Hot[] => [
    {
      does: 'a record as it is',
      run: (executor) => findRecordStates(executor, [{ ...deep, at: null }], { ...upToDate, since: head }),
      rows: 2,
    },
    {
      does: 'a record as it was',
      run: (executor) =>
        findRecordStates(executor, [{ ...deep, at: head - 700 }], { ...upToDate, since: head }),
      rows: 2,
    },
    {
      does: 'the news since a revision',
      run: (executor) =>
        findRecordStates(executor, [{ ...deep, at: null }], { ...upToDate, since: head - 20 }),
      rows: 21,
    },
    { does: 'a list by key', run: ofList({}), ordered: ['record_live_key'] },
    {
      does: 'a list by key, backwards',
      run: ofList({ sort: [{ path: 'key', descending: true }] }),
      ordered: ['record_live_key'],
    },
    { does: 'a later page by key', run: ofList({ after: ['r00005000'] }), ordered: ['record_live_key'] },
    { does: 'a list of a prefix', run: ofList({ keyPrefix: 'r000050' }), ordered: ['record_live_key'] },
    { does: 'a list of a prefix that no key has', run: ofList({ keyPrefix: 'r0001x' }), rows: 1 },
    {
      does: 'a list behind very many deleted records',
      run: ofList({}, 'buried'),
      ordered: ['record_live_key'],
    },
    { does: 'a list as it was', run: ofList({ revision: head - 10, after: ['r00005000'] }), rows: 300 },
    { does: 'a list by an index', run: ofList({ sort: byPrice(false) }), ordered: ['index_entry_ascending'] },
    {
      does: 'a list by an index, backwards',
      run: ofList({ sort: byPrice(true) }),
      ordered: ['index_entry_descending'],
    },
    {
      does: 'a later page by an index',
      run: ofList({ sort: byPrice(false), after: position }),
      ordered: ['index_entry_ascending'],
      rows: 102,
    },
    {
      does: 'a later page by an index, backwards',
      run: ofList({ sort: byPrice(true), after: position }),
      ordered: ['index_entry_descending'],
      rows: 102,
    },
    { does: 'a list of one value', run: ofList({ filters: [price('eq', '500')] }), rows: 102 },
    { does: 'a list of a few values', run: ofList({ filters: [price('in', '500,501,502')] }), rows: 160 },
    {
      does: 'a list of a range in its order',
      run: ofList({ filters: [price('gte', '500')], sort: byPrice(false) }),
      ordered: ['index_entry_ascending'],
      rows: 102,
    },
    {
      does: 'the history of a record',
      run: (executor) => listVersions(executor, { ...deep, below: null, limit }),
      ordered: ['version_record_id_number_key'],
    },
    {
      does: 'a later page of it',
      run: (executor) => listVersions(executor, { ...deep, below: 500, limit }),
      ordered: ['version_record_id_number_key'],
    },
    { does: 'a version', run: (executor) => findVersions(executor, { ...deep, numbers: [500] }), rows: 1 },
    { does: 'the log', run: (executor) => listCommits(executor, null, limit) },
    { does: 'a later page of it', run: (executor) => listCommits(executor, 100, limit) },
    { does: 'the changes of a commit', run: (executor) => listChanges(executor, 103, 0, limit) },
    { does: 'positions of the feed', run: (executor) => listFeedPositions(executor, feed) },
    {
      does: 'positions of the feed of a collection',
      run: (executor) =>
        listFeedPositions(executor, {
          ...feed,
          after: { revision: 0, ordinal: 0 },
          filter: { ...unfiltered, collectionId: ids.deep },
        }),
    },
    {
      does: 'positions of the feed of a prefix',
      run: (executor) =>
        listFeedPositions(executor, {
          ...feed,
          after: { revision: 0, ordinal: 0 },
          filter: { ...unfiltered, collectionId: ids.large, keyPrefix: 'r' },
        }),
    },
    {
      does: 'the end of a stride of the feed',
      run: (executor) => findFeedPosition(executor, { ...feed, distance: limit }),
    },
    {
      does: 'a page of the feed of a prefix',
      run: (executor) =>
        listFeed(executor, {
          after: { revision: 0, ordinal: 0 },
          upTo: { revision: 8, ordinal: 1_000 },
          filter: { ...unfiltered, collectionId: ids.large, keyPrefix: 'r0000001' },
        }),
      // It looks through the whole range, and what a change is made of is looked up for those that it answers only.
      rows: 1_100,
    },
    {
      does: 'a page of the feed',
      run: (executor) =>
        listFeed(executor, {
          after: { revision: 103, ordinal: 0 },
          upTo: { revision: 104, ordinal: 10 },
          filter: unfiltered,
        }),
      rows: 210,
    },
    {
      does: 'changes of the feed by their places',
      run: (executor) =>
        listFeedAt(
          executor,
          Array.from({ length: limit }, (_, index) => ({ revision: 103, ordinal: index + 1 })),
          unfiltered,
        ),
    },
    {
      does: 'the commits of a page of the feed',
      run: (executor) => listCommitsBetween(executor, { from: 5, upTo: 100_000, revisions: null, limit }),
    },
    {
      does: 'the commits of a page of the feed that is filtered',
      run: (executor) =>
        listCommitsBetween(executor, { from: 5, upTo: 100_000, revisions: [10, 200, 1_000], limit }),
    },
    {
      does: 'the records of a commit',
      run: (executor) => findRecords(executor, [{ collectionId: ids.deep, key: 'deep' }]),
      rows: 2,
    },
    {
      does: 'the records of a commit by their names',
      run: (executor) => findNamedRecords(executor, [deep]),
      rows: 4,
    },
    {
      does: 'the records of a commit, locked',
      run: (executor) => lockNamedRecords(executor as Tx, [deep]),
      rows: 4,
    },
    {
      does: 'the records of a commit that was prepared, locked',
      run: (executor) => lockPreparedStands(executor as Tx, recordIds),
      rows: 2,
    },
    {
      does: 'whether records have moved since a commit of them was prepared, locked',
      run: (executor) => lockUnmoved(executor as Tx, recordIds, { count: 2, revision: 1 }),
      rows: 2,
    },
    {
      does: 'what a pending version is edited from',
      run: (executor) =>
        lockStands(executor as Tx, [{ ...deep, isPatched: true }], { changesetId: null, wait: true }),
      rows: 4,
    },
    {
      does: 'what a row is compared with',
      run: (executor) =>
        lockRowStandings(executor as Tx, { collectionId: ids.deep, changesetId: null }, ['deep']),
      rows: 2,
    },
    {
      does: 'what a row is compared with in a changeset',
      run: (executor) =>
        lockRowStandings(executor as Tx, { collectionId: ids.deep, changesetId: changesets[1] ?? '' }, [
          'deep',
        ]),
      rows: 2,
    },
    {
      does: 'the records that a commit moved',
      run: (executor) => findMovedKeys(executor, { revision: 103, collection: 'large' }),
      rows: 200,
    },
    {
      does: 'what a pending version is judged with',
      run: (executor) => findJudged(executor, [{ ...deep, changeset: null }]),
      rows: 4,
    },
    {
      does: 'the version that a rollback goes to',
      run: async (executor) => {
        const [record] = await findRecords(executor, [{ collectionId: ids.deep, key: 'deep' }]);
        await findCommitted(executor, [{ recordId: record?.id ?? 0, number: 500 }]);
      },
      rows: 2,
    },
    {
      does: 'everything that waits',
      run: (executor) =>
        listPending(executor, { collection: null, changesetId: null, outdated: null, after: 500, limit }),
      rows: 160,
    },
    {
      does: 'a member of a changeset',
      run: (executor) =>
        findPending(executor, [{ recordId: recordIds[1] ?? 0, changesetId: changesets[1] ?? '' }]),
      rows: 1,
    },
    {
      does: 'the members of a changeset',
      run: (executor) => listMembers(executor, changesets[0] ?? '', 0, limit),
    },
    {
      does: 'the changesets',
      run: (executor) => listChangesets(executor, { state: null, below: null, limit: 2 }),
      // It counts the members of each, up to a thousand.
      rows: 1_001,
    },
    { does: 'the changesets that are due', run: (executor) => listDueChangesets(executor, 10), rows: 1 },
    {
      does: 'the batch of an index that is built',
      run: (executor) =>
        enterRecords(
          executor as Tx,
          {
            id: 1,
            collectionId: ids.large,
            collection: 'large',
            pointer: '/price',
            state: 'building',
            position: 0,
          },
          limit,
        ),
      rows: 52,
    },
  ];

  test('of each hot statement reads what it answers, and no more', async () => {
    const failures: unknown[] = [];
    for (const { does, run, ordered = [], rows = 52 } of hot()) {
      const readings = await readingsOf(db, run);
      const found = {
        does,
        rows: Math.max(...readings.map((reading) => reading.rows)),
        ordered: readings.flatMap((reading) => reading.ordered),
      };
      if (found.rows > rows || ordered.some((index) => !found.ordered.includes(index))) failures.push(found);
      if (process.env.SHOW === does) process.stderr.write(readings.map(({ plan }) => plan).join('\n'));
    }
    expect(failures).toEqual([]);
  });
});

type Seed = (client: pg.Client, options: Record<string, unknown>) => Promise<void>;

/**
 * Collections of 10,000 records with an index, of 5,000 deleted records before the live ones, and of a record with
 * 1,000 versions; a changeset of 2,000 members, and many small ones.
 */
async function seed(url: string, database: Db): Promise<void> {
  const context = createContext(database, { maxRecordBytes: 1_000_000 });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const script = new URL('../../scripts/bench/seed-records.mjs', import.meta.url).href;
  const { seedRecords, seedHistory }: { seedRecords: Seed; seedHistory: Seed } = await import(script);
  for (const name of ['large', 'buried', 'deep'])
    await putCollection(context, {
      collection: name,
      definition: { indexes: ['/price'] },
      precondition: {},
      actor: ann,
    });
  await seedRecords(client, {
    collection: 'large',
    records: 20_000,
    bytes: 20,
    perCommit: 200,
    prices: 1_000,
  });
  await seedRecords(client, {
    collection: 'buried',
    records: 20_000,
    bytes: 20,
    perCommit: 200,
    prices: 1_000,
  });
  await client.query(`SET session_replication_role = replica; SET jit = off`);
  await client.query(
    `UPDATE record SET current_version_id = NULL FROM collection c WHERE c.name = 'buried' AND c.id = collection_id AND key < 'r00004900'`,
  );
  await client.query(
    `WITH made AS (INSERT INTO changeset (title, created_by) SELECT 'Set ' || n, 'ann' FROM generate_series(1, 5000) AS n RETURNING id, ordinal)
     INSERT INTO version (record_id, changeset_id, content, digest, staged_by, staged_at, updated_at)
     SELECT r.id, made.id, '{}', sha256('{}'), '{ann}', now(), now() FROM made JOIN (SELECT id, 1 AS ordinal FROM record WHERE id % 10 = 0 UNION SELECT id, id FROM record) AS r ON r.ordinal = made.ordinal`,
  );
  await client.query(
    `UPDATE changeset SET state = CASE WHEN ordinal > 3000 THEN 'discarded' ELSE 'committed' END, closed_by = 'ann', closed_at = now()
     WHERE ordinal BETWEEN 2001 AND 4500;
     UPDATE changeset SET state = 'scheduled', commit_at = now() + interval '1 year', scheduled_by = 'ann', scheduled_at = now()
     WHERE ordinal BETWEEN 4501 AND 4600`,
  );
  await client.query(`RESET session_replication_role`);
  await seedHistory(client, { collection: 'deep', key: 'deep', versions: 1_000, bytes: 20 });
  await client.end();
  while (await buildIndexes(context, { batchRecords: 5_000 }));
  await database.queryOnce('VACUUM (ANALYZE)');
}
