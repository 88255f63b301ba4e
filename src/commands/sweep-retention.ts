import { findCollection } from '../store/collections.js';
import { type Session, withSession } from '../store/db.js';
import { findHorizon } from '../store/horizon.js';
import { listCollectionsInForce, retentionJob, tryLockRetention } from '../store/retention.js';
import type { Context } from './context.js';
import { type RetentionOptions, type RetentionResult, runBatches } from './steps/retention-run.js';

export interface SweptCollection {
  collection: string;
  /** What was done, or what went wrong with it. */
  outcome: RetentionResult | { error: unknown };
}

/**
 * Applies the retention policy of every collection, one after the other. One instance does so at a time: null
 * when another is at it. Collections that somebody runs by hand are passed over. Each collection has a
 * connection for itself, which is given back before the next.
 */
export async function sweepRetention(
  context: Pick<Context, 'db'>,
  options: Pick<RetentionOptions, 'signal' | 'now' | 'rest'> = {},
): Promise<SweptCollection[] | null> {
  const swept: SweptCollection[] = [];
  let isLeader = false;
  for (const collection of await listCollectionsInForce(context.db)) {
    if (options.signal?.aborted) break;
    const turn = await withSession(context.db, (session) => sweepOne(session, collection, options));
    if (turn === 'led-by-another') return isLeader ? swept : null;
    isLeader = true;
    if (turn !== 'passed-over') swept.push({ collection: collection.name, outcome: turn });
  }
  return swept;
}

async function sweepOne(
  session: Session,
  { id, name }: { id: number; name: string },
  options: Pick<RetentionOptions, 'signal' | 'now' | 'rest'>,
): Promise<SweptCollection['outcome'] | 'led-by-another' | 'passed-over'> {
  if (!(await tryLockRetention(session, retentionJob))) return 'led-by-another';
  if (!(await tryLockRetention(session, id))) return 'passed-over';
  // One collection that fails keeps none of the others from its turn.
  const outcome = await runToTheEnd(session, name, options).catch((error: unknown) => ({ error }));
  return outcome ?? 'passed-over';
}

async function runToTheEnd(
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
