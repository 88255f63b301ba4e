import { describe, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { putCollection } from '../../src/commands/put-collection.js';
import type { RecordView } from '../../src/domain/record.js';
import { listRecords } from '../../src/queries/list-records.js';
import { auditStore } from '../support/audit.js';
import { codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { size } from '../support/size.js';

const collection = 'accounts';
const accounts = 8;
const total = 800;
const snapshots = size(200, 10_000);

async function start(): Promise<[Context, Context]> {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  await putCollection(one, { collection, definition: {}, precondition: {}, actor: ann });
  const changes = Array.from({ length: accounts }, (_, index) => ({
    collection,
    key: `account-${index}`,
    operation: 'put' as const,
    data: { balance: total / accounts },
  }));
  await commitChanges(one, { changes, dryRun: false, actor: ann });
  return [one, two];
}

const ask = (context: Context, cursor?: string) =>
  listRecords(context, { collection, filters: [], sort: [], limit: 3, cursor, at: { type: 'head' } });

/** All accounts in three pages of one chain. */
async function readSnapshot(context: Context): Promise<RecordView[]> {
  const items: RecordView[] = [];
  for (let cursor: string | undefined; ; ) {
    const { page } = await ask(context, cursor);
    items.push(...page.items);
    if (page.next === null) return items;
    cursor = page.next;
  }
}

const sumOf = (records: RecordView[]) =>
  records.reduce((sum, record) => sum + Number(record.data.balance), 0);

/** Moves an amount between two accounts, as one commit or (planted bug) as two. */
async function transfer(context: Context, step: number, atomic: boolean): Promise<boolean> {
  const from = step % accounts;
  const to = (step * 5 + 3) % accounts;
  if (from === to) return false;
  const { page } = await listRecords(context, {
    collection,
    filters: [],
    sort: [],
    limit: 100,
    at: { type: 'head' },
  });
  const change = (index: number, amount: number) => {
    const record = page.items[index];
    if (!record) throw new Error('an account is missing');
    return {
      collection,
      key: record.key,
      operation: 'put' as const,
      ifVersion: record.version,
      data: { balance: Number(record.data.balance) + amount },
    };
  };
  const changes = [change(from, -7), change(to, 7)];
  try {
    if (atomic) await commitChanges(context, { changes, dryRun: false, actor: ann });
    else
      for (const each of changes)
        await commitChanges(context, { changes: [each], dryRun: false, actor: ann });
    return true;
  } catch (error) {
    expect(codeOf(error)).toBe('version-conflict');
    return false;
  }
}

/** Transfers on one instance and reads on the other until enough has been read; answers every sum seen. */
async function race(
  contexts: [Context, Context],
  atomic: boolean,
  reads: number,
): Promise<{ sums: number[]; transfers: number }> {
  const [writer, reader] = contexts;
  const sums: number[] = [];
  let transfers = 0;
  const write = async (offset: number) => {
    for (let step = offset; sums.length < reads; step += 1)
      if (await transfer(writer, step, atomic)) transfers += 1;
  };
  const read = async () => {
    while (sums.length < reads) sums.push(sumOf(await readSnapshot(reader)));
  };
  await Promise.all([write(0), write(1_000), read(), read(), read()]);
  return { sums, transfers };
}

describe('transfers between two records beside paged lists', () => {
  test('every snapshot has the right sum', async () => {
    const contexts = await start();
    const { sums, transfers } = await race(contexts, true, snapshots);
    expect(new Set(sums)).toEqual(new Set([total]));
    expect(transfers).toBeGreaterThan(snapshots / 20);
    expect(await auditStore(contexts[0].db)).toEqual([]);
  });

  test('negative control: transfers in two commits are seen half done', async () => {
    const { sums } = await race(await start(), false, 200);
    expect(sums.some((sum) => sum !== total)).toBe(true);
  });

  test('negative control: pages that do not belong together show a mixture', async () => {
    const [context] = await start();
    const first = await ask(context);
    // From the first account, which has been read, to the fourth, which has not.
    expect(await transfer(context, 0, true)).toBe(true);
    const later = (await readSnapshot(context)).slice(first.page.items.length);
    expect(sumOf([...first.page.items, ...later])).not.toBe(total);
  });
});
