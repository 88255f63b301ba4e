import { expect, test } from 'vitest';
import type { Context } from '../../src/commands/context.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { getRecord } from '../../src/queries/get-record.js';
import { listRecords } from '../../src/queries/list-records.js';
import { listRecordStates } from '../../src/store/list-records.js';
import { maxPageBytes } from '../../src/store/versions.js';
import { auditStore } from '../support/audit.js';
import { codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { readViews } from '../support/feed.js';
import { collection, define, putAll, retain } from '../support/retention.js';
import { size } from '../support/size.js';

const keys = ['a', 'b', 'c'];
const commits = size(150, 3_000);

/** What every revision shows in all three records; revision 1 is the definition. */
const valueAt = (revision: number) => revision - 1;

const query = { collection, filters: [], sort: [], limit: 2, at: { type: 'head' as const } };

async function twoInstances(): Promise<[Context, Context]> {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  await define(one, { retention: { keepVersions: 1, onExpire: 'delete' } });
  return [one, two];
}

test('readers beside commits and a retention that never rests see what was there, or are told that it has gone', async () => {
  const [one, two] = await twoInstances();
  await putAll(one, keys, { n: 1 });
  let head = 2;
  let isWriting = true;
  const told: Record<string, number> = {};
  const wrong: string[] = [];
  const check = (what: string, isRight: boolean) => {
    if (!isRight) wrong.push(what);
  };
  const note = (code: string) => {
    told[code] = (told[code] ?? 0) + 1;
  };
  /** Reads until the writer is done; what a read of the past may answer is what was there, or one code. */
  const repeat = async (work: (turn: number) => Promise<void>) => {
    for (let turn = 0; isWriting; turn += 1) await work(turn);
  };
  const orTold = (code: string, read: Promise<void>) =>
    read.then(
      () => note('whole'),
      (error: unknown) => {
        check(`the refusal ${codeOf(error)}`, codeOf(error) === code);
        note(code);
      },
    );

  const writer = async () => {
    while (head < commits) head = await putAll(one, keys, { n: valueAt(head + 1) });
    isWriting = false;
  };
  const cleaner = () => repeat(async () => void (await retain(two)));
  const stager = () =>
    repeat(async (turn) => {
      const key = keys[turn % 3] ?? 'a';
      const staged = { operation: 'upsert' as const, data: { n: -1 } };
      const precondition = { ifMatch: { any: true as const } };
      const at = { collection, key, changeset: null, staged, actor: ann };
      await stagePending(two, { ...at, precondition: {} }).catch(() =>
        stagePending(two, { ...at, precondition }),
      );
      await two.db.query(`DELETE FROM version WHERE revision IS NULL`);
    });
  const readerOfNow = () =>
    repeat(async () => {
      const { record, revision } = await getRecord(two, { collection, key: 'b', at: { type: 'head' } });
      check(`${record.data.n} at ${revision}`, record.data.n === valueAt(revision));
      const { page, revision: shown } = await listRecords(two, { ...query, limit: 10 });
      const values = page.items.map((item) => item.data.n);
      check(`${values} at ${shown}`, values.join() === Array(3).fill(valueAt(shown)).join());
    });
  const readerOfThePast = () =>
    repeat(async (turn) => {
      const revision = Math.max(2, head - (turn % 20));
      const at = { type: 'revision' as const, revision };
      const one = async () => {
        const { record } = await getRecord(two, { collection, key: 'c', at });
        check(`${record.data.n} at ${revision}`, record.data.n === valueAt(revision));
      };
      const filters = [{ path: 'n', op: 'eq' as const, value: String(valueAt(revision)) }];
      const all = async () => {
        const { page } = await listRecords(two, { ...query, limit: 10, filters, at });
        check(`${page.items.length} found at ${revision}`, page.items.length === 3);
      };
      await orTold('revision-compacted', turn % 2 ? one() : all());
    });
  const pager = () =>
    repeat(async () => {
      const first = await listRecords(two, query);
      const rest = async () => {
        const { page } = await listRecords(two, { ...query, cursor: first.page.next ?? '' });
        check(`the second page ${page.items[0]?.data.n}`, page.items[0]?.data.n === valueAt(first.revision));
      };
      await orTold('revision-compacted', rest());
    });
  const follower = async () => {
    let after = '1';
    await repeat(async () => {
      const read = async () => {
        const { changes, next } = await readViews(two, { after, limit: 6 });
        for (const change of changes) {
          const sides = [change.before?.data.n, change.after?.data.n];
          const right = [
            change.revision === 2 ? undefined : valueAt(change.revision - 1),
            valueAt(change.revision),
          ];
          check(`change ${change.revision}: ${sides}`, sides.join() === right.join());
        }
        after = next;
      };
      await orTold('position-expired', read());
      if (told['position-expired']) after = String(head);
    });
  };
  await Promise.all([writer(), cleaner(), stager(), readerOfNow(), readerOfThePast(), pager(), follower()]);

  expect(wrong).toEqual([]);
  expect(told.whole).toBeGreaterThan(0);
  expect(told['revision-compacted']).toBeGreaterThan(0);
  await retain(one);
  expect(await auditStore(one.db)).toEqual([]);
});

/** The instance, but for one moment: before the first statement of this form, something else happens. */
function interrupted(context: Context, form: RegExp, happening: () => Promise<unknown>): Context {
  let isOver = false;
  const { query, queryOnce } = context.db;
  const interrupt =
    (run: Context['db']['query']): Context['db']['query'] =>
    async (text, values) => {
      if (!isOver && form.test(text)) {
        isOver = true;
        await happening();
      }
      return await run(text, values);
    };
  return { ...context, db: { ...context.db, query: interrupt(query), queryOnce: interrupt(queryOnce) } };
}

test('a page of the feed whose changes expire between its two statements is refused', async () => {
  const [one, two] = await twoInstances();
  for (const n of [1, 2]) await putAll(one, keys, { n });
  const slow = interrupted(two, /"beforeContent"/, () => retain(one));
  const read = readViews(slow, { after: '1', limit: 10 });
  expect(await read.then(() => 'a page', codeOf)).toBe('position-expired');
});

test('a list of the present whose records are replaced and expire before it is read shows the new present', async () => {
  const [one, two] = await twoInstances();
  await putAll(one, keys, { n: 1 });
  const slow = interrupted(two, /WITH changed/, async () => {
    await putAll(one, keys, { n: 2 });
    await retain(one);
  });
  const { page, revision } = await listRecords(slow, { ...query, limit: 10 });
  expect({ values: page.items.map((item) => item.data.n), revision }).toEqual({
    values: [2, 2, 2],
    revision: 3,
  });
});

test('negative control: a list that does not look at the horizon shows less than there was', async () => {
  const [one] = await twoInstances();
  const revision = await putAll(one, keys, { n: 1 });
  await putAll(one, keys, { n: 2 });
  const read = () =>
    listRecordStates(one.db, {
      collectionId: 1,
      revision,
      changesetId: null,
      maxBytes: maxPageBytes,
      keyPrefix: undefined,
      filters: [{ path: 'n', op: 'eq', value: '1' }],
      sort: [],
      limit: 10,
      after: null,
    });
  expect((await read()).rows).toHaveLength(3);
  await retain(one);
  expect(await read()).toEqual({ horizon: revision + 1, rows: [] });
});
