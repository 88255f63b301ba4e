import { expect, test } from 'vitest';
import type { Context } from '../../src/commands/context.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { type ReadLine, stageLines } from '../../src/commands/stage-lines.js';
import { validateChangeset } from '../../src/commands/validate-changeset.js';
import { openChangeset } from '../support/changeset.js';
import { ann, createInstances } from '../support/context.js';

const collection = 'items';

async function prepare(): Promise<Context> {
  const [context] = await createInstances(1);
  if (context === undefined) throw new Error('no instance');
  const definition = { unique: [['/sku']] };
  await putCollection(context, { collection, definition, precondition: {}, actor: ann });
  return context;
}

/** Stages a record for each key into a changeset of its own. */
async function stageAll(context: Context, skus: Record<string, unknown>): Promise<string> {
  const changeset = await openChangeset(context);
  async function* lines(): AsyncGenerator<ReadLine> {
    for (const [index, [key, sku]] of Object.entries(skus).entries()) {
      const staged = { collection, key, operation: 'put' as const, data: { sku: sku as string } };
      yield { number: index + 1, bytes: 100, staged };
    }
  }
  await stageLines(context, { changeset, lines: lines(), actor: ann });
  return changeset;
}

test('a validation names each unique value that another changeset wants for another record, once', async () => {
  const context = await prepare();
  const id = await stageAll(context, { a: 'one', b: 'two', c: 'three', d: 'four', e: 'four', n: null });
  const other = await stageAll(context, {
    a: 'one',
    b: 'three',
    d: 'four',
    x: 'two',
    y: 'two',
    z: 'five',
    n: null,
    m: null,
  });
  const { report } = await validateChangeset(context, { id });
  const pairs = [
    { key: 'b', otherKey: 'x' },
    { key: 'c', otherKey: 'b' },
    { key: 'e', otherKey: 'd' },
  ].map((pair) => ({ collection, pointer: '/sku', ...pair }));
  expect(report.overlaps).toMatchObject([
    { changeset: other, recordCount: 4, uniqueValueCount: 3, uniqueValues: pairs },
  ]);
});

test('overlaps of changesets cost what their members cost, whatever the statistics say', async () => {
  const context = await prepare();
  const size = 400;
  const skus = (prefix: string) =>
    Object.fromEntries(Array.from({ length: size }, (_, n) => [`key ${n}`, `${prefix} ${n}`]));
  const id = await stageAll(context, skus('mine'));
  await stageAll(context, skus('other'));
  const before = await countFetches(context);
  await validateChangeset(context, { id });
  // Each with each would be 160,000 or more.
  expect((await countFetches(context)) - before).toBeLessThan(40 * size);
});

/** Rows that have been fetched from the tables of members. */
async function countFetches({ db }: Context): Promise<number> {
  // Of the connection that answers; those of the others tell of theirs when their transaction has ended a while.
  for (const _ of Array.from({ length: 5 })) await db.query('SELECT pg_stat_force_next_flush()');
  const [row] = await db.query<{ rows: number }>(
    `SELECT sum(seq_tup_read + idx_tup_fetch)::float8 AS rows FROM pg_stat_user_tables WHERE relname IN ('record', 'version')`,
  );
  return row?.rows ?? Number.NaN;
}
