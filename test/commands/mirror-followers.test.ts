import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { commitPending } from '../../src/commands/commit-pending.js';
import type { Context } from '../../src/commands/context.js';
import { discardPending } from '../../src/commands/discard-pending.js';
import { revertCommit } from '../../src/commands/revert-commit.js';
import { rollbackRecord } from '../../src/commands/rollback-record.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { ann, createInstance } from '../support/context.js';
import { type FollowedChange, type Follower, follow } from '../support/follower.js';
import { holdHead } from '../support/hold-head.js';
import { commitWhole, define, openChangeset } from '../support/release.js';

const anything = { ifMatch: { any: true as const } };

async function start(): Promise<{ context: Context; follower: Follower }> {
  const context = await createInstance();
  await define(context, 'things', { mirror: true });
  return { context, follower: await follow(context.db.pool.options.connectionString ?? '') };
}

const change = (key: string, data: JsonObject | null, collection = 'things') =>
  data === null
    ? { collection, key, operation: 'delete' as const }
    : { collection, key, operation: 'put' as const, data };

async function commit(context: Context, ...changes: ReturnType<typeof change>[]): Promise<number> {
  const { result } = await commitChanges(context, { changes, dryRun: false, actor: ann });
  return result.revision;
}

const stage = (context: Context, key: string, data: JsonObject, precondition = {}) =>
  stagePending(context, {
    collection: 'things',
    key,
    changeset: null,
    staged: { operation: 'upsert', data },
    precondition,
    actor: ann,
  });

/** A change in short: what it was, and version, revision and data of both rows. */
const inShort = ({ op, before, after }: FollowedChange) => [
  op,
  (before ?? after)?.key,
  before && [before.version, before.revision, before.data],
  after && [after.version, after.revision, after.data],
];
const shortOf = (transactions: FollowedChange[][]) => transactions.map((changes) => changes.map(inShort));

describe('who follows the publication is sent', () => {
  test('each create, update and deletion of a commit, an update as its row before and after', async () => {
    const { context, follower } = await start();
    const created = await commit(context, change('a', { n: 1 }));
    const updated = await commit(context, change('a', { n: 2 }));
    const deleted = await commit(context, change('a', null));
    expect(shortOf(await follower.read())).toEqual([
      [['insert', 'a', null, ['1', `${created}`, '{"n":1}']]],
      [['update', 'a', ['1', `${created}`, '{"n":1}'], ['2', `${updated}`, '{"n":2}']]],
      [['delete', 'a', ['2', `${updated}`, '{"n":2}'], null]],
    ]);
    expect(deleted).toBe(updated + 1);
  });

  test('whole rows: table, author and time of the commit beside key, version, revision and data', async () => {
    const { context, follower } = await start();
    const revision = await commit(context, change('ключ/1', { text: 'é"\\' }));
    const [[first] = []] = await follower.read();
    const [{ at } = { at: '' }] = await context.db.query<{ at: string }>(
      'SELECT committed_at::text AS at FROM commit WHERE revision = $1',
      [revision],
    );
    expect(first).toEqual({
      op: 'insert',
      table: 'mirror.things',
      before: null,
      after: {
        key: 'ключ/1',
        version: '1',
        revision: `${revision}`,
        committed_at: at,
        author: 'ann',
        data: '{"text":"é\\"\\\\"}',
      },
    });
  });

  test('a rollback as an update to the earlier version, and as an insert where the record was deleted', async () => {
    const { context, follower } = await start();
    await commit(context, change('a', { n: 1 }));
    const second = await commit(context, change('a', { n: 2 }));
    await follower.read();
    const back = { collection: 'things', key: 'a', toVersion: 1, force: false, precondition: {}, actor: ann };
    await rollbackRecord(context, back);
    await commit(context, change('a', null));
    await rollbackRecord(context, back);
    expect(shortOf(await follower.read())).toEqual([
      [['update', 'a', ['2', `${second}`, '{"n":2}'], ['1', `${second + 1}`, '{"n":1}']]],
      [['delete', 'a', ['1', `${second + 1}`, '{"n":1}'], null]],
      [['insert', 'a', null, ['1', `${second + 3}`, '{"n":1}']]],
    ]);
  });

  test('a revert as what undoes each change, in one transaction', async () => {
    const { context, follower } = await start();
    const first = await commit(context, change('a', { n: 1 }), change('b', { n: 1 }));
    const second = await commit(context, change('a', { n: 2 }), change('b', null), change('c', { n: 1 }));
    await follower.read();
    const { result } = await revertCommit(context, {
      revision: second,
      dryRun: false,
      force: false,
      actor: ann,
    });
    const [changes = [], ...rest] = shortOf(await follower.read());
    expect(rest).toEqual([]);
    expect(changes).toEqual([
      ['update', 'a', ['2', `${second}`, '{"n":2}'], ['1', `${result.revision}`, '{"n":1}']],
      ['insert', 'b', null, ['1', `${result.revision}`, '{"n":1}']],
      ['delete', 'c', ['1', `${second}`, '{"n":1}'], null],
    ]);
    expect(first).toBe(second - 1);
  });

  test('a changeset of many records in one transaction, in the order of the log', async () => {
    const { context, follower } = await start();
    await commit(context, ...[1, 2, 3, 4].map((n) => change(`old-${n}`, { n })));
    await follower.read();
    const id = await openChangeset(context, [
      { collection: 'things', key: 'z', data: { n: 1 } },
      { collection: 'things', key: 'old-4', data: { n: 40 } },
      { collection: 'things', key: 'old-1', data: null },
      { collection: 'things', key: 'a', data: { n: 2 } },
      { collection: 'things', key: 'old-2', data: { n: 20 } },
    ]);
    expect(await follower.read()).toEqual([]);
    const { result } = await commitWhole(context, id);
    const [changes = [], ...rest] = await follower.read();
    expect(rest).toEqual([]);
    const logged = await context.db.query<{ key: string }>(
      'SELECT r.key FROM change h JOIN record r ON r.id = h.record_id WHERE h.revision = $1 ORDER BY h.ordinal',
      [result.revision],
    );
    expect(changes.map(({ before, after }) => (after ?? before)?.key)).toEqual(logged.map(({ key }) => key));
    expect(changes.map(({ op, before }) => [op, before === null])).toEqual(
      changes.map(({ op }) => [op, op === 'insert']),
    );
  });

  test('commits that share a transaction in the order of their revisions, of two collections as well', async () => {
    const { context, follower } = await start();
    await define(context, 'others', { mirror: true });
    await define(context, 'plain', {});
    await commit(context, change('a', { n: 0 }), change('a', { n: 0 }, 'others'));
    await follower.read();
    const head = await holdHead(context.db);
    const first = commit(context, change('first', { n: 1 }));
    await head.untilWaiting(1);
    const group = [
      commit(context, change('a', { n: 1 })),
      commit(context, change('b', { n: 1 })),
      commit(context, change('b', { n: 1 }, 'others')),
      commit(context, change('x', { n: 1 }, 'plain')),
      commit(context, change('c', { n: 1 }), change('c', { n: 1 }, 'others'), change('a', null, 'others')),
      commit(context, change('b', { n: 2 })),
      commit(context, change('d', { n: 1 })),
    ];
    await head.release();
    const revisions = await Promise.all([first, ...group]);
    const [alone, together = [], ...rest] = await follower.read();
    expect([alone?.length, rest]).toEqual([1, []]);
    const seen = together.map(({ table, op, after }) => [table.slice(7), op, after?.key, after?.revision]);
    const at = (place: number) => `${revisions[place]}`;
    expect(seen).toHaveLength(8);
    expect(seen.filter(([, op]) => op !== 'delete')).toEqual(
      [
        ['things', 'update', 'a', at(1)],
        ['things', 'insert', 'b', at(2)],
        ['others', 'insert', 'b', at(3)],
        ['things', 'insert', 'c', at(5)],
        ['others', 'insert', 'c', at(5)],
        ['things', 'insert', 'd', at(7)],
        ['things', 'update', 'b', at(6)],
      ].sort((a, b) => Number(a[3]) - Number(b[3])),
    );
  });

  test('both rows whole, however large', async () => {
    const { context, follower } = await start();
    const large = () => ({ text: randomBytes(100_000).toString('base64') });
    const [one, two] = [large(), large()];
    await commit(context, change('a', one));
    await commit(context, change('a', two));
    await commit(context, change('a', one));
    const transactions = await follower.read();
    expect(transactions.map(([only]) => [only?.before?.data, only?.after?.data])).toEqual([
      [undefined, JSON.stringify(one)],
      [JSON.stringify(one), JSON.stringify(two)],
      [JSON.stringify(two), JSON.stringify(one)],
    ]);
  });

  test('nothing that is staged, edited or discarded, before it is committed', async () => {
    const { context, follower } = await start();
    await commit(context, change('a', { n: 1 }));
    await follower.read();
    await stage(context, 'a', { secret: 1 });
    await stage(context, 'a', { secret: 2 }, anything);
    await stage(context, 'new', { secret: 3 });
    await openChangeset(context, [{ collection: 'things', key: 'a', data: { secret: 4 } }]);
    await discardPending(context, {
      collection: 'things',
      key: 'new',
      changeset: null,
      precondition: anything,
    });
    await commitChanges(context, { changes: [change('a', { secret: 5 })], dryRun: true, actor: ann });
    expect(await follower.read()).toEqual([]);
    await commitPending(context, {
      collection: 'things',
      key: 'a',
      changeset: null,
      precondition: anything,
      actor: ann,
    });
    const [[only] = []] = await follower.read();
    expect([only?.before?.data, only?.after?.data]).toEqual(['{"n":1}', '{"secret":2}']);
  });

  test('the rows that are there already when a mirror is turned on, in the order in which they were committed', async () => {
    const { context, follower } = await start();
    await define(context, 'later', {});
    for (const key of ['c', 'a', 'b']) await commit(context, change(key, { key }, 'later'));
    await commit(context, change('a', { key: 'again' }, 'later'));
    expect(await follower.read()).toEqual([]);
    await define(context, 'later', { mirror: true }, anything);
    const [rows = [], ...rest] = await follower.read();
    expect(rest).toEqual([]);
    expect(rows.map(({ op, after }) => [op, after?.key, after?.version])).toEqual([
      ['insert', 'c', '1'],
      ['insert', 'b', '1'],
      ['insert', 'a', '2'],
    ]);
    await define(context, 'later', {}, anything);
    await commit(context, change('b', { key: 'unseen' }, 'later'));
    expect(await follower.read()).toEqual([]);
  });
});
