import { expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
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
