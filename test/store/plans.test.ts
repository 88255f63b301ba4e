import { expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { ann, createInstances } from '../support/context.js';

const collection = 'items';
const tables = ['record', 'version', 'change', 'unique_value', 'reference', 'commit'];
/** PostgreSQL makes the plan that it keeps from the sixth execution on. */
const small = 8;
const large = 500;

async function commitAll(context: Context, keys: string[], n: number): Promise<void> {
  const changes = keys.map((key) => ({
    collection,
    key,
    operation: 'put' as const,
    data: { slug: `${key} ${n}`, parent: keys[0] ?? '' },
  }));
  await commitChanges(context, { changes, dryRun: false, actor: ann });
}

/** How often each table has been read from its beginning to its end. */
async function countScans({ db }: Context): Promise<number> {
  await db.query('SELECT pg_stat_force_next_flush()');
  const [row] = await db.query<{ scans: number }>(
    'SELECT sum(seq_scan)::float8 AS scans FROM pg_stat_user_tables WHERE relname = ANY ($1)',
    [tables],
  );
  return row?.scans ?? Number.NaN;
}

test('a large commit scans no table, though each plan was made when the tables were tiny', async () => {
  // One connection, so that it is the one that keeps those plans.
  const [context] = await createInstances(1, { poolSize: 2 });
  if (context === undefined) throw new Error('no instance');
  const references = [{ pointer: '/parent', collection }];
  await putCollection(context, { collection, definition: {}, precondition: {}, actor: ann });
  await putCollection(context, {
    collection,
    definition: { unique: [['/slug']], references },
    precondition: { ifMatch: { any: true } },
    actor: ann,
  });
  for (let n = 0; n < small; n += 1) await commitAll(context, ['root'], n);
  const keys = ['root', ...Array.from({ length: large }, (_, index) => `key ${index}`)];
  const before = await countScans(context);
  await commitAll(context, keys, 100);
  await commitAll(context, keys, 101);
  expect(await countScans(context)).toBe(before);
});
