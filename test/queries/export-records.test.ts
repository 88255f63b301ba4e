import { expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { exportRecords } from '../../src/queries/export-records.js';
import { openChangeset } from '../support/changeset.js';
import { ann, createInstance } from '../support/context.js';

const collection = 'things';
// Two of them are more than one part of an export.
const text = 'x'.repeat(600 * 1024);

async function commit(context: Context, records: Record<string, number | null>): Promise<void> {
  const changes = Object.entries(records).map(([key, n]) =>
    n === null
      ? { collection, key, operation: 'delete' as const }
      : { collection, key, operation: 'put' as const, data: { n, text } },
  );
  await commitChanges(context, { changes, dryRun: false, actor: ann });
}

async function createThings(): Promise<Context> {
  const context = await createInstance();
  await putCollection(context, { collection, definition: {}, precondition: {}, actor: ann });
  await commit(context, { a: 1, b: 1, c: 1, d: 1 });
  return context;
}

const query = { collection, filters: [], sort: [], at: { type: 'head' as const } };
const read = (lines: string) =>
  lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => [JSON.parse(line).key, JSON.parse(line).data.n]);

test('all parts show one revision, whatever is committed between them', async () => {
  const context = await createThings();
  const { text: parts, revision } = await exportRecords(context, query);
  const seen: unknown[] = [];
  for await (const lines of parts) {
    seen.push(...read(lines));
    await commit(context, { b: 2, c: null, e: 2 });
    await commit(context, { b: 3, c: 3, e: null });
  }
  expect(seen).toEqual([
    ['a', 1],
    ['b', 1],
    ['c', 1],
    ['d', 1],
  ]);
  expect((await exportRecords(context, query)).revision).toBeGreaterThan(revision);
});

test('a part is read when it is asked for, not before', async () => {
  const context = await createThings();
  const { db } = context;
  let reads = 0;
  const counted: Context = {
    ...context,
    db: {
      ...db,
      query: (statement, values) => {
        if (statement.includes('bytes_before')) reads += 1;
        return db.query(statement, values);
      },
    },
  };
  const { text: parts } = await exportRecords(counted, query);
  expect(reads).toBe(1);
  expect(read((await parts.next()).value ?? '')).toHaveLength(2);
  expect(reads).toBe(1);
  await parts.next();
  expect(reads).toBe(2);
  await parts.return();
  expect(reads).toBe(2);
});

test('a preview that is edited on the way is not exported to its end', async () => {
  const context = await createThings();
  const changeset = await openChangeset(context);
  const { text: parts } = await exportRecords(context, { ...query, changeset });
  await parts.next();
  const staged = { operation: 'delete' as const };
  await stagePending(context, { collection, key: 'd', changeset, staged, precondition: {}, actor: ann });
  await expect(parts.next()).rejects.toMatchObject({ code: 'cursor-expired' });
});
