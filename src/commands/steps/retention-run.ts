import { setTimeout as delay } from 'node:timers/promises';
import type { CollectionRow } from '../../store/collections.js';
import type { Executor, Session } from '../../store/db.js';
import { beginRetentionRun } from '../../store/retention.js';
import { expireBatch } from './expire-batch.js';
import { findRetentionBatch, horizonAfter, type RetentionTask, toRetentionTask } from './retention-task.js';

export interface RetentionOptions {
  /** Batches at most. */
  maxBatches: number;
  /** No batch begins after so many milliseconds. */
  maxMs: number;
  /** Ends the run between two batches; the next goes on from there. */
  signal?: AbortSignal | undefined;
  /** The moment to judge ages by; that of the database's clock if absent. */
  now?: Date | undefined;
  /** Rests after a batch that took so many milliseconds. */
  rest?: ((tookMs: number, signal: AbortSignal | undefined) => Promise<void>) | undefined;
}

/** What a run, or a part of it, did or would do. */
export interface RetentionResult {
  archived: number;
  deleted: number;
  horizon: number;
  /** Whether it has come to the end of the collection. */
  complete: boolean;
}

/** For each millisecond of work so many of rest: a fifth of the time is work, whatever machine it is. */
const restPerWork = 4;

/** Rests long enough to stay out of the way, and never in step with others. */
export async function restLong(tookMs: number, signal: AbortSignal | undefined): Promise<void> {
  const restMs = tookMs * restPerWork * (0.75 + Math.random() / 2);
  await delay(restMs, undefined, signal ? { signal } : {}).catch(() => {});
}

/** Goes on with the run of a collection, within bounds of work and time. The caller holds its lock. */
export async function runBatches(
  session: Session,
  collection: CollectionRow & { horizon: number },
  options: RetentionOptions,
): Promise<RetentionResult> {
  const { maxBatches, maxMs, signal, rest = restLong } = options;
  const endAt = performance.now() + maxMs;
  const task = await toRetentionTask(session, collection, options.now);
  const run = await session.transaction((tx) =>
    beginRetentionRun(tx, collection.id, collection.definitionId),
  );
  const result = { archived: 0, deleted: 0, horizon: collection.horizon, complete: false };
  let after = { recordId: run.recordId, number: run.number };
  for (let batches = 0; batches < maxBatches && !signal?.aborted; batches += 1) {
    const start = performance.now();
    if (start > endAt) return result;
    const batch = await findRetentionBatch(session, task, after);
    const done = await expireBatch(session, task, batch, result.horizon);
    if (done === null) return result;
    result.archived += done.archived;
    result.deleted += done.deleted;
    result.horizon = done.horizon;
    after = batch.to;
    if (batch.isLast) return { ...result, complete: true };
    await rest(performance.now() - start, signal);
  }
  return result;
}

/** What a run from the beginning would do, within the same bounds; writes nothing. */
export async function rehearseBatches(
  executor: Executor,
  collection: CollectionRow & { horizon: number },
  options: Pick<RetentionOptions, 'maxBatches' | 'now'>,
): Promise<RetentionResult> {
  const task: RetentionTask = await toRetentionTask(executor, collection, options.now);
  const result = { archived: 0, deleted: 0, horizon: collection.horizon, complete: false };
  const counted = task.policy.onExpire === 'archive' ? 'archived' : 'deleted';
  let after = { recordId: 0, number: 0 };
  for (let batches = 0; batches < options.maxBatches; batches += 1) {
    const batch = await findRetentionBatch(executor, task, after);
    result[counted] += batch.going.length;
    result.horizon = horizonAfter(batch.going, result.horizon);
    after = batch.to;
    if (batch.isLast) return { ...result, complete: true };
  }
  return result;
}
