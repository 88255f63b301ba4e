import type { Actor } from '../domain/actor.js';
import { DiptychError } from '../domain/errors.js';
import { collectionNotFound } from '../domain/refusals.js';
import { findCollection } from '../store/collections.js';
import { type Executor, type Session, withSession } from '../store/db.js';
import { findHead } from '../store/head.js';
import { findHorizon } from '../store/horizon.js';
import { tryLockRetention } from '../store/retention.js';
import type { Context } from './context.js';
import {
  type RetentionOptions,
  type RetentionResult,
  rehearseBatches,
  runBatches,
} from './steps/retention-run.js';

export interface RunRetentionInput {
  collection: string;
  dryRun: boolean;
  actor: Actor;
}

/** Work of one call: so many batches, each of 10 versions, or of 1,000 records that have none to expire. */
const callBounds = { maxBatches: 500, maxMs: 20_000 };

/**
 * Applies the retention policy of a collection now, for a bounded amount of work: a call whose answer is not
 * `complete` is to be repeated, and goes on where it stopped.
 *
 * @throws DiptychError `permission-required`, `collection-not-found`, or `retention-running` when another
 *   call or instance is at work on the collection
 */
export async function runRetention(
  context: Pick<Context, 'db' | 'longWork'>,
  input: RunRetentionInput,
  options: Partial<RetentionOptions> = {},
): Promise<RetentionResult & { revision: number }> {
  const { collection, dryRun, actor } = input;
  if (!dryRun && !actor.admin) {
    throw new DiptychError(
      'permission-required',
      'Running retention, which archives or deletes data, needs the permission `admin`. A rehearsal (`dryRun`) does not.',
      { extensions: { permission: 'admin' } },
    );
  }
  const settings = { ...callBounds, ...options };
  if (dryRun) {
    const result = await rehearseBatches(
      context.db,
      await requireCollection(context.db, collection),
      settings,
    );
    return { ...result, revision: (await findHead(context.db)).revision };
  }
  return await context.longWork.run(() =>
    withSession(context.db, (session) => runNow(session, collection, settings)),
  );
}

async function runNow(
  session: Session,
  collection: string,
  settings: RetentionOptions,
): Promise<RetentionResult & { revision: number }> {
  const { id } = await requireCollection(session, collection);
  if (!(await tryLockRetention(session, id))) {
    throw new DiptychError(
      'retention-running',
      `Retention of ${collection} is being run by another call or instance.`,
      { retryAfterSeconds: 1 },
    );
  }
  // Read again under the lock: whoever had it may have moved the horizon.
  const result = await runBatches(session, await requireCollection(session, collection), settings);
  return { ...result, revision: (await findHead(session)).revision };
}

async function requireCollection(executor: Executor, name: string) {
  const row = await findCollection(executor, name);
  if (row === null) throw collectionNotFound(name);
  return { ...row, horizon: await findHorizon(executor, row.id) };
}
