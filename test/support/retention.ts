import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { runRetention } from '../../src/commands/run-retention.js';
import type { RetentionOptions, RetentionResult } from '../../src/commands/steps/retention-run.js';
import type { Definition } from '../../src/domain/collection.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { ann } from './context.js';

export const root = { name: 'root', admin: true };
export const collection = 'things';

/** No rest between batches: what is tested does not depend on it. */
export const restless = { rest: async () => {} };

export async function define(context: Context, definition: Definition, name = collection): Promise<void> {
  const precondition = { ifMatch: { any: true } as const };
  await putCollection(context, { collection: name, definition, precondition: {}, actor: root }).catch(() =>
    putCollection(context, { collection: name, definition, precondition, actor: root }),
  );
}

/** Puts the same data into all these records, in one commit; answers its revision. */
export async function putAll(
  context: Context,
  keys: string[],
  data: JsonObject,
  name = collection,
): Promise<number> {
  const changes = keys.map((key) => ({ collection: name, key, operation: 'put' as const, data }));
  const { result } = await commitChanges(context, { changes, dryRun: false, actor: ann });
  return result.revision;
}

export function retain(
  context: Context,
  options: Partial<RetentionOptions> = {},
  name = collection,
): Promise<RetentionResult> {
  return runRetention(
    context,
    { collection: name, dryRun: false, actor: root },
    { ...restless, maxMs: Number.POSITIVE_INFINITY, ...options },
  );
}

/** How many versions still have content, are archived, are deleted. */
export async function countVersions(context: Context): Promise<Record<string, number>> {
  const [row] = await context.db.query<Record<string, number>>(
    `SELECT count(content) AS kept, count(archive) AS archived, count(*) - count(content) - count(archive) AS deleted
     FROM version WHERE revision IS NOT NULL`,
  );
  if (row === undefined) throw new Error('count without a row');
  return row;
}
