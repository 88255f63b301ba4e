import { findCollection } from '../store/collections.js';
import { type Session, withSession } from '../store/db.js';
import { findHorizon } from '../store/horizon.js';
import {
  listCollectionsInForce,
  retentionJob,
  tryLockRetention,
  unlockRetention,
} from '../store/retention.js';
import type { Context } from './context.js';
import { type RetentionOptions, type RetentionResult, runBatches } from './steps/retention-run.js';

export interface SweptCollection {
  collection: string;
  /** What was done, or what went wrong with it. */
  outcome: RetentionResult | { error: unknown };
}

/**
 * Applies the retention policy of every collection, one after the other. One instance does so at a time: null
 * when another is at it. Collections that somebody runs by hand are passed over.
 */
export async function sweepRetention(
  context: Pick<Context, 'db'>,
  options: Pick<RetentionOptions, 'signal' | 'now' | 'rest'> = {},
): Promise<SweptCollection[] | null> {
  return await withSession(context.db, async (session) => {
    if (!(await tryLockRetention(session, retentionJob))) return null;
    const swept: SweptCollection[] = [];
    for (const { id, name } of await listCollectionsInForce(session)) {
      if (options.signal?.aborted) break;
      if (!(await tryLockRetention(session, id))) continue;
      // One collection that fails keeps none of the others from its turn.
      const outcome = await sweepOne(session, name, options).catch((error: unknown) => ({ error }));
      if (outcome !== null) swept.push({ collection: name, outcome });
      await unlockRetention(session, id);
    }
    return swept;
  });
}

async function sweepOne(
  session: Session,
  name: string,
  options: Pick<RetentionOptions, 'signal' | 'now' | 'rest'>,
): Promise<RetentionResult | null> {
  const row = await findCollection(session, name);
  if (row === null) return null;
  const collection = { ...row, horizon: await findHorizon(session, row.id) };
  const bounds = { maxBatches: Number.POSITIVE_INFINITY, maxMs: Number.POSITIVE_INFINITY };
  return await runBatches(session, collection, { ...options, ...bounds });
}
