import { describe, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { deleteCollection } from '../../src/commands/delete-collection.js';
import { getRecord } from '../../src/queries/get-record.js';
import { listRecords } from '../../src/queries/list-records.js';
import type { Db } from '../../src/store/db.js';
import { codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { collection, define, putAll, retain } from '../support/retention.js';

const present = { type: 'head' } as const;

const read = (context: Context, key: string) => getRecord(context, { collection, key, at: present });
const readAt = (context: Context, key: string, revision: number) =>
  getRecord(context, { collection, key, at: { type: 'revision', revision } });
const list = (context: Context, cursor?: string) =>
  listRecords(context, { collection, filters: [], sort: [], limit: 2, cursor, at: present });
const remove = (context: Context, key: string) =>
  commitChanges(context, { changes: [{ collection, key, operation: 'delete' }], dryRun: false, actor: ann });
const refusalOf = (work: Promise<unknown>) => work.then(() => 'none', codeOf);

/** Lets statements through, or keeps their answers back. */
class Gate {
  /** Single statements of all instances. */
  sent: string[] = [];
  #held: (() => void)[] | null = null;

  hold(): void {
    this.#held = [];
  }

  release(): void {
    for (const go of this.#held ?? []) go();
    this.#held = null;
  }

  readonly wrap = (db: Db): Db => ({
    ...db,
    query: async (text, values) => {
      this.sent.push(text);
      const rows = await db.query<never>(text, values);
      await new Promise<void>((go) => (this.#held ? this.#held.push(go) : go()));
      return rows;
    },
  });
}

/** Two instances with the records a, b and c, which the first has in its cache, as it has their list. */
async function start(options: { cacheMaxBytes?: number; poolSize?: number } = {}) {
  const gate = new Gate();
  const [one, two] = await createInstances(2, { wrap: gate.wrap, ...options });
  if (!one || !two) throw new Error('two instances are needed');
  await define(one, { retention: { keepVersions: 1, onExpire: 'delete' } });
  const first = await putAll(one, ['a', 'b', 'c'], { n: 1 });
  for (const key of ['a', 'b', 'c']) await read(one, key);
  await list(one);
  gate.sent = [];
  return { one, two, gate, first };
}

describe('one statement', () => {
  test('answers all reads that arrived before it was sent; those that arrive while it runs share the next', async () => {
    const { one, gate } = await start();
    gate.hold();
    const early = ['a', 'b', 'a'].map((key) => read(one, key));
    while (gate.sent.length === 0) await new Promise(setImmediate);
    const late = [read(one, 'c'), read(one, 'a'), list(one)];
    for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
    expect(gate.sent).toHaveLength(1);
    gate.release();
    await Promise.all([...early, ...late]);
    expect(gate.sent).toHaveLength(2);
  });

  test('loads all records that are wanted at once, each once', async () => {
    const { two, gate } = await start();
    const answers = await Promise.all(['a', 'b', 'a', 'c'].map((key) => read(two, key)));
    expect(answers.map(({ record }) => record.key)).toEqual(['a', 'b', 'a', 'c']);
    expect(gate.sent).toHaveLength(1);
  });

  test('reads a page that many want at once', async () => {
    const { one, two, gate } = await start();
    await putAll(one, ['d'], { n: 1 });
    gate.sent = [];
    await Promise.all([list(two), list(two), list(two)]);
    // The fence, the name of the collection, and the page.
    expect(gate.sent).toHaveLength(3);
  });

  test('that fails fails for those who share it, and nobody after them', async () => {
    const { one } = await start();
    await one.db.queryOnce(`ALTER TABLE head RENAME TO away`);
    const outcomes = await Promise.allSettled([read(one, 'a'), read(one, 'b')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await one.db.queryOnce(`ALTER TABLE away RENAME TO head`);
    expect((await read(one, 'a')).record.data).toEqual({ n: 1 });
  });
});

describe('what another instance has committed is seen, whatever is kept', () => {
  test('a record that changed, came, or went', async () => {
    const { one, two } = await start();
    const revision = await putAll(two, ['a', 'new'], { n: 2 });
    expect(await read(one, 'a')).toMatchObject({ revision, record: { revision, data: { n: 2 } } });
    expect((await read(one, 'new')).record.data).toEqual({ n: 2 });
    await remove(two, 'a');
    expect(await refusalOf(read(one, 'a'))).toBe('record-deleted');
    expect((await read(one, 'b')).revision).toBe(revision + 1);
  });

  test('a list, its revision, and its end', async () => {
    const { one, two } = await start();
    const before = await list(one);
    const revision = await putAll(two, ['a'], { n: 2 });
    const after = await list(one);
    expect(after.revision).toBe(revision);
    expect(after.page.items.map((item) => item.data)).toEqual([{ n: 2 }, { n: 1 }]);
    // The chain of the first page goes on where it began.
    expect((await list(one, before.next ?? '')).revision).toBe(before.revision);
    for (const key of ['a', 'b', 'c']) await remove(two, key);
    expect((await list(one)).page.items).toEqual([]);
    await deleteCollection(two, { collection, precondition: {}, actor: ann });
    expect(await refusalOf(list(one))).toBe('collection-not-found');
    expect(await refusalOf(read(one, 'a'))).toBe('collection-not-found');
  });

  test('a page that is kept is shown as of the newest revision, with another tag', async () => {
    const { one, two } = await start();
    const before = await list(one);
    await define(two, {}, 'others');
    const revision = await putAll(two, ['x'], { n: 1 }, 'others');
    // Comes from the cache again once the definition has made it be read anew.
    await list(one);
    await putAll(two, ['y'], { n: 1 }, 'others');
    const after = await list(one);
    expect(after.revision).toBe(revision + 1);
    expect(after.tag).not.toBe(before.tag);
    expect(after.page.items).toEqual(before.page.items);
    expect(JSON.parse(after.text.toString()).revision).toBe(revision + 1);
  });

  test('the horizon: a state of the past that is kept here and has gone there is gone', async () => {
    const { one, two, first } = await start();
    const chain = await list(one);
    await putAll(one, ['a'], { n: 2 });
    expect((await readAt(one, 'a', first)).record.data).toEqual({ n: 1 });
    expect((await list(one, chain.next ?? '')).page.items).toHaveLength(1);
    const kept = [() => readAt(one, 'a', first), () => list(one, chain.next ?? '')];
    for (const again of kept) expect(await refusalOf(again())).toBe('none');
    await retain(two);
    for (const again of kept) expect(await refusalOf(again())).toBe('revision-compacted');
  });
});

test('states of the past are kept: they are answered by the fence alone', async () => {
  const { one, gate, first } = await start();
  await putAll(one, ['a'], { n: 2 });
  await readAt(one, 'a', first);
  gate.sent = [];
  const { record, revision } = await readAt(one, 'a', first);
  expect([record.data, revision]).toEqual([{ n: 1 }, first]);
  expect(gate.sent).toHaveLength(1);
  expect(gate.sent[0]).not.toContain('FROM version');
  expect(await refusalOf(readAt(one, 'a', 999))).toBe('revision-not-found');
});

test('large contents are loaded by themselves', async () => {
  const { one, two, gate } = await start();
  const text = 'x'.repeat(100_000);
  await putAll(one, ['a', 'b'], { text });
  gate.sent = [];
  const answers = await Promise.all(['a', 'b', 'c'].map((key) => read(two, key)));
  expect(answers.map(({ record }) => record.data)).toEqual([{ text }, { text }, { n: 1 }]);
  expect(gate.sent).toHaveLength(3);
});

test('with a cache of 0 bytes each read is a statement, shared by those of one moment', async () => {
  const { one, gate } = await start({ cacheMaxBytes: 0 });
  await Promise.all([read(one, 'a'), read(one, 'b')]);
  await read(one, 'a');
  expect(gate.sent).toHaveLength(2);
});

test('no table is scanned, though the plans were made when the tables were tiny', async () => {
  // Few connections, so that those that keep the plans are used again.
  const { one } = await start({ cacheMaxBytes: 0, poolSize: 2 });
  for (let n = 0; n < 8; n += 1) {
    await read(one, 'a');
    await list(one);
    await readAt(one, 'a', 2);
    await putAll(one, ['b'], { n });
    await one.reads.fence.cover(collection);
  }
  const keys = Array.from({ length: 300 }, (_, index) => `key ${index}`);
  for (let n = 0; n < 8; n += 1) await putAll(one, keys, { n });
  await one.reads.fence.cover();
  const before = await countRows(one);
  await read(one, 'key 7');
  await one.reads.fence.cover(collection);
  expect((await countRows(one)) - before).toBeLessThan(50);
});

/** How many rows have been looked at in the tables that grow. */
async function countRows({ db }: Context): Promise<number> {
  await db.query('SELECT pg_stat_force_next_flush()');
  const [row] = await db.query<{ rows: number }>(
    `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::float8 AS rows FROM pg_stat_user_tables
     WHERE relname IN ('record', 'version', 'change', 'commit')`,
  );
  return row?.rows ?? Number.NaN;
}
