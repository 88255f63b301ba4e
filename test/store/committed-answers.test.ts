import { expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { commitPending } from '../../src/commands/commit-pending.js';
import type { Context } from '../../src/commands/context.js';
import { rollbackRecord } from '../../src/commands/rollback-record.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { getRecord } from '../../src/queries/get-record.js';
import { codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { collection, define, putAll } from '../support/retention.js';

const read = (context: Context, key: string) => getRecord(context, { collection, key, at: { type: 'head' } });

const commit = (
  context: Context,
  changes: Parameters<typeof commitChanges>[1]['changes'],
  message?: string,
) => commitChanges(context, { changes, message, dryRun: false, actor: ann });

const put = (key: string, data: { n: number | string }) =>
  ({ collection, key, operation: 'put', data }) as const;

/** Two instances, of which the first keeps a, b and c; `loads` are the statements of the first that read contents. */
async function start() {
  const loads: string[] = [];
  const [one, two] = await createInstances(2, {
    wrap: (db) => ({
      ...db,
      query: (text, values) => {
        if (text.includes('JOIN version v')) loads.push(text);
        return db.query(text, values);
      },
    }),
  });
  if (!one || !two) throw new Error('two instances are needed');
  await define(one, {});
  await putAll(one, ['a', 'b', 'c'], { n: 1 });
  for (const key of ['a', 'b', 'c']) await read(one, key);
  loads.length = 0;
  return { one, two, loads };
}

async function stage(context: Context, key: string, data: { n: number }, message: string) {
  const address = { collection, key, changeset: null };
  const staged = { operation: 'upsert' as const, data };
  await stagePending(context, { ...address, staged, message, precondition: {}, actor: ann });
  const precondition = { ifMatch: { any: true } as const };
  await commitPending(context, { ...address, precondition, actor: { name: 'Zoë', admin: false } });
}

test.each<[string, (context: Context) => Promise<unknown>]>([
  ['put', (context) => commit(context, [put('a', { n: 'é "2"\n' })], 'why not')],
  [
    'merged and patched together',
    (context) =>
      commit(context, [
        { collection, key: 'b', operation: 'merge', patch: { m: [2] } },
        { collection, key: 'a', operation: 'patch', patch: [{ op: 'add', path: '/m', value: {} }] },
      ]),
  ],
  ['staged and committed by another', (context) => stage(context, 'a', { n: 2 }, 'staged')],
  ['put twice in one group', (context) => Promise.all([2, 3].map((n) => commit(context, [put('a', { n })])))],
])(
  'what is kept and %s is answered without asking for it, as any instance answers it',
  async (_how, work) => {
    const { one, two, loads } = await start();
    await work(one);
    const keys = ['a', 'b', 'c'];
    const answers = await Promise.all(keys.map((key) => read(one, key)));
    expect(loads).toEqual([]);
    expect(answers).toEqual(await Promise.all(keys.map((key) => read(two, key))));
  },
);

test('what was deleted is gone, and what was rolled back is asked for', async () => {
  const { one, two, loads } = await start();
  await commit(one, [put('b', { n: 2 }), { collection, key: 'a', operation: 'delete' }]);
  await rollbackRecord(one, {
    collection,
    key: 'b',
    toVersion: 1,
    precondition: {},
    actor: ann,
    force: false,
  });
  expect(await read(one, 'a').then(() => 'shown', codeOf)).toBe('record-deleted');
  expect(await read(one, 'b')).toEqual(await read(two, 'b'));
  expect(loads.length).toBeGreaterThan(0);
});

test('what is committed again before anybody reads it is kept, until that has happened often', async () => {
  const { one, loads } = await start();
  for (let n = 2; n <= 9; n += 1) await commit(one, [put('a', { n }), put('new', { n })]);
  expect((await read(one, 'a')).record.data).toEqual({ n: 9 });
  for (let n = 10; n <= 17; n += 1) await commit(one, [put('a', { n })]);
  expect((await read(one, 'a')).record.data).toEqual({ n: 17 });
  expect(loads).toEqual([]);
  const before = one.reads.cache.bytes;
  for (let n = 18; n <= 26; n += 1) await commit(one, [put('a', { n })]);
  expect(one.reads.cache.bytes).toBeLessThan(before);
  expect((await read(one, 'a')).record.data).toEqual({ n: 26 });
  expect(loads).toHaveLength(1);
});

test('what others have committed in between is told by the fence', async () => {
  const { one, two } = await start();
  await commit(two, [put('a', { n: 2 })]);
  await commit(one, [put('b', { n: 3 })]);
  expect((await read(one, 'a')).record.data).toEqual({ n: 2 });
  expect((await read(one, 'b')).record.data).toEqual({ n: 3 });
});

test('a commit that does not happen changes nothing of what is kept', async () => {
  const { one, loads } = await start();
  const { revision } = await read(one, 'a');
  // Refused when the transaction ends: after everything is written.
  await one.db.queryOnce(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
    CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON change DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION refuse()`);
  await expect(commit(one, [put('a', { n: 2 })])).rejects.toThrow();
  expect(await read(one, 'a')).toMatchObject({ revision, record: { data: { n: 1 } } });
  expect(loads).toEqual([]);
});
