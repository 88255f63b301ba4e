import { expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { CommitQueue, type QueueBounds } from '../../src/commands/steps/commit-queue.js';
import { getRecord } from '../../src/queries/get-record.js';
import { auditStore } from '../support/audit.js';
import { ann, createInstance } from '../support/context.js';
import { holdHead } from '../support/hold-head.js';
import { collection, define } from '../support/retention.js';

const assert = Array.from({ length: 3 }, () => 'data.s == data.s').join(' && ');
const rules = Array.from({ length: 90 }, (_, at) => ({ id: `same-${at}`, assert, message: 'm' }));

/** One commit of these is within the bound of work, and two are past it. */
const costly = 's'.repeat(100_000);
const recordsOfCostly = 15;

test('costly commits that come together are shared out over transactions, each in its turn', async () => {
  const context = await createInstance();
  await define(context, { rules });
  const put = (keys: string[], data: { s: string }) =>
    commitChanges(context, {
      changes: keys.map((key) => ({ collection, key, operation: 'put' as const, data })),
      dryRun: false,
      actor: ann,
    });
  const keysOf = (name: string) => Array.from({ length: recordsOfCostly }, (_, at) => `${name}${at}`);
  const head = await holdHead(context.db);
  // While the first waits for the lock, the others gather behind it.
  const commits = [put(['first'], { s: '' })];
  await head.untilWaiting(1);
  for (const name of ['a', 'b', 'c']) commits.push(put(keysOf(name), { s: costly }));
  commits.push(put(['c0'], { s: 'the last word' }));
  await head.release();
  const results = (await Promise.all(commits)).map(({ result }) => result);
  expect(results.map(({ revision }) => revision)).toEqual([2, 3, 4, 5, 6]);
  const transactions = results.map(({ committedAt }) => committedAt);
  expect(transactions[1]).toBe(transactions[2]);
  expect(transactions[3]).not.toBe(transactions[2]);
  const { record } = await getRecord(context, { collection, key: 'c0', at: { type: 'head' } });
  expect(record.data.s).toBe('the last word');
  expect(await auditStore(context.db)).toEqual([]);
});

/** The same instance with a queue of other bounds. */
const withBounds = (context: Context, bounds: Partial<QueueBounds>): Context => ({
  ...context,
  commits: new CommitQueue(context, bounds),
});

const putAll = (context: Context, name: string, count: number) =>
  commitChanges(context, {
    changes: Array.from({ length: count }, (_, at) => ({
      collection,
      key: `${name}${at}`,
      operation: 'put' as const,
      data: { name },
    })),
    dryRun: false,
    actor: ann,
  });

test('no small commit waits for more than one large one, however many there are', async () => {
  const context = withBounds(await createInstance(), { groupMembers: 3 });
  await define(context, {});
  const head = await holdHead(context.db);
  const commits = [putAll(context, 'first', 1)];
  await head.untilWaiting(1);
  for (const name of ['A', 'B', 'C']) commits.push(putAll(context, name, 4));
  for (const name of ['a', 'b', 'c', 'd']) commits.push(putAll(context, name, 1));
  await head.release();
  const order = (await Promise.all(commits))
    .map(({ result }) => ({ revision: result.revision, key: result.changes[0]?.key.slice(0, 1) }))
    .sort((one, other) => one.revision - other.revision);
  expect(order.map(({ key }) => key).join('')).toBe('fAabcBdC');
  expect(await auditStore(context.db)).toEqual([]);
});

test.each([
  ['more commits', { waiting: 2 }],
  ['more bytes', { waitingBytes: 30 }],
])('%s than may wait are sent away, and asked to come back', async (_what, bounds) => {
  const context = withBounds(await createInstance(), bounds);
  await define(context, {});
  const head = await holdHead(context.db);
  const commits = [putAll(context, 'first', 1)];
  await head.untilWaiting(1);
  commits.push(putAll(context, 'a', 1), putAll(context, 'b', 1));
  await expect(putAll(context, 'c', 1)).rejects.toMatchObject({
    code: 'not-ready',
    options: { retryAfterSeconds: 1 },
  });
  await head.release();
  expect((await Promise.all(commits)).map(({ result }) => result.revision)).toEqual([2, 3, 4]);
});
