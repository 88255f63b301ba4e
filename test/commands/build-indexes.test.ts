import { expect, test } from 'vitest';
import { buildIndexes } from '../../src/commands/build-indexes.js';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { deleteCollection } from '../../src/commands/delete-collection.js';
import { getCollection } from '../../src/queries/get-collection.js';
import { listRecords } from '../../src/queries/list-records.js';
import { ann, createInstance, createInstances } from '../support/context.js';
import { collection, define, putAll } from '../support/retention.js';

const indexes = ['/n'];

async function remove(context: Context, keys: string[]): Promise<void> {
  const changes = keys.map((key) => ({ collection, key, operation: 'delete' as const }));
  await commitChanges(context, { changes, dryRun: false, actor: ann });
}

async function keysByIndex(context: Context): Promise<string[]> {
  const sort = [{ path: 'n', descending: true }];
  const { page } = await listRecords(context, {
    collection,
    filters: [],
    sort,
    limit: 100,
    at: { type: 'head' },
  });
  return page.items.map(({ key }) => key);
}

async function progress(context: Context): Promise<unknown> {
  return (await getCollection(context, { collection })).view.indexes;
}

const countEntries = async ({ db }: Context) => (await db.query('SELECT FROM index_entry')).length;

test('an index of a collection without records is ready at once', async () => {
  const context = await createInstance();
  await define(context, { indexes });
  expect(await progress(context)).toEqual([{ pointer: '/n', state: 'ready', recordsDone: null }]);
  expect(await buildIndexes(context)).toBeNull();
  await putAll(context, ['a', 'b'], { n: 1 });
  expect(await countEntries(context)).toBe(2);
});

test('progress can be seen, in an entity tag of its own, while writes of the definition go by the definition', async () => {
  const context = await createInstance();
  await define(context, {});
  await putAll(context, ['a', 'b', 'c'], { n: 1 });
  await define(context, { indexes });
  expect(await progress(context)).toEqual([{ pointer: '/n', state: 'building', recordsDone: 0 }]);
  const before = await getCollection(context, { collection });
  await buildIndexes(context, { batchRecords: 2 });
  const between = await getCollection(context, { collection });
  expect(between.view.indexes).toEqual([{ pointer: '/n', state: 'building', recordsDone: 2 }]);
  expect(between.tag).not.toBe(before.tag);
  expect(await buildIndexes(context, { batchRecords: 2 })).toMatchObject({ finished: true });
  expect(await progress(context)).toEqual([{ pointer: '/n', state: 'ready', recordsDone: null }]);
  const precondition = { ifMatch: { any: false as const, tags: [before.tag] } };
  await remove(context, ['a', 'b', 'c']);
  await deleteCollection(context, { collection, precondition, actor: ann });
});

test('a record that is deleted while the builder has it in hand does not come back', async () => {
  const [context] = await createInstances(1, { poolSize: 8 });
  if (context === undefined) throw new Error('no instance');
  await define(context, {});
  await putAll(context, ['a', 'b', 'c'], { n: 1 });
  await define(context, { indexes });
  // The builder has seen all three, and waits at the first of them for somebody who has entered it too.
  const client = await context.db.pool.connect();
  await client.query('BEGIN');
  await client.query(
    `INSERT INTO index_entry (index_id, record_id, value, key)
     SELECT i.id, r.id, '\\x00', r.key FROM list_index i, record r WHERE r.key = 'a'`,
  );
  const built = buildIndexes(context);
  const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  while ((await context.db.query(waiting)).length === 0);
  await remove(context, ['b']);
  await client.query('ROLLBACK');
  client.release();
  expect(await built).toMatchObject({ finished: true });
  expect(await keysByIndex(context)).toEqual(['a', 'c']);
  expect(await countEntries(context)).toBe(2);
});

test('instances build one after the other, and go on where another stopped', async () => {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
  await define(one, {});
  await putAll(one, keys, { n: 1 });
  await define(one, { indexes });
  let entered = 0;
  for (let n = 0; n < 30; n += 1) {
    const steps = await Promise.all([one, two].map((context) => buildIndexes(context, { batchRecords: 3 })));
    entered += steps.filter((step) => step !== null).length;
  }
  // Twenty in batches of three: none was done twice.
  expect(entered).toBe(7);
  expect(await countEntries(one)).toBe(20);
  expect(await progress(two)).toMatchObject([{ state: 'ready' }]);
});

test('an index that no definition asks for any more is removed, and can come back meanwhile', async () => {
  const context = await createInstance();
  await define(context, { indexes: ['/n', '/m'] });
  await putAll(context, ['a', 'b', 'c'], { n: 1 });
  await define(context, { indexes: ['/m'] });
  expect(await progress(context)).toMatchObject([{ pointer: '/m', state: 'ready' }]);
  await putAll(context, ['d'], { n: 2 });
  expect(await buildIndexes(context, { batchRecords: 2 })).toMatchObject({ finished: false });
  await define(context, { indexes });
  while (await buildIndexes(context, { batchRecords: 2 }));
  expect(await progress(context)).toEqual([{ pointer: '/n', state: 'ready', recordsDone: null }]);
  expect(await countEntries(context)).toBe(4);
  expect(await keysByIndex(context)).toEqual(['d', 'a', 'b', 'c']);
  const [left] = await context.db.query('SELECT count(*) FROM list_index');
  expect(left).toEqual({ count: 1 });
});

test('commits into collections without indexes enter nothing', async () => {
  const context = await createInstance();
  await define(context, { indexes }, 'indexed');
  await define(context, {});
  await putAll(context, ['a', 'b'], { n: 1 });
  expect(await countEntries(context)).toBe(0);
});
