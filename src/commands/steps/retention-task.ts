import type { Definition } from '../../domain/collection.js';
import { cutoffOf, decideRetention, effectivePolicy, type RetentionPolicy } from '../../domain/retention.js';
import type { CollectionRow } from '../../store/collections.js';
import type { Executor } from '../../store/db.js';
import {
  findLastRevision,
  findNow,
  findRecordRange,
  listRetentionFacts,
  type RetentionPosition,
  type RetentionRow,
  type RetentionSearch,
} from '../../store/retention.js';

/** What a run of retention does in one collection: decided once at its start, the same for all its batches. */
export interface RetentionTask {
  collectionId: number;
  definitionId: number;
  policy: RetentionPolicy;
  now: Date;
  search: RetentionSearch;
}

/** @param given the moment to judge ages by; that of the database's clock if absent */
export async function toRetentionTask(
  executor: Executor,
  collection: CollectionRow,
  given?: Date,
): Promise<RetentionTask> {
  const definition: Definition = JSON.parse(collection.definitionContent);
  const { policy } = effectivePolicy(definition);
  const now = given ?? (await findNow(executor));
  const cutoff = cutoffOf(policy, now);
  const search = {
    behind: policy.keepVersions ?? 0,
    upToRevision: cutoff === null ? null : await findLastRevision(executor, cutoff),
    archived: policy.onExpire === 'delete',
  };
  return { collectionId: collection.id, definitionId: collection.definitionId, policy, now, search };
}

/**
 * One batch, so that no transaction is long: a commit that wants a record that is locked for a batch waits
 * for all of it, and every other commit behind it. Measured beside 100 commits a second on two cores: batches of
 * 50 made the slowest hundredth of them half as slow again, batches of 10 changed it by a few percent, within the noise.
 */
export const batchBounds = { versions: 10, records: 1_000, bytes: 2 * 1024 * 1024 };

export interface RetentionBatch {
  /** What is to go, as far as can be seen without locks. */
  going: RetentionRow[];
  /** Where the next batch starts. */
  to: RetentionPosition;
  /** Whether nothing comes after it. */
  isLast: boolean;
}

/** Looks for what comes next in a collection: a bounded number of versions of a bounded number of records. */
export async function findRetentionBatch(
  executor: Executor,
  task: RetentionTask,
  after: RetentionPosition,
): Promise<RetentionBatch> {
  const { collectionId, search } = task;
  const range =
    search.upToRevision === 0
      ? null
      : await findRecordRange(executor, collectionId, after.recordId, batchBounds.records);
  if (range === null) return { going: [], to: after, isLast: true };
  const found = await listRetentionFacts(executor, {
    collectionId,
    after,
    upTo: range.last,
    limit: batchBounds.versions,
    search,
  });
  const rows = cutByBytes(found);
  const last = rows.at(-1);
  const isCut = last !== undefined && (found.length === batchBounds.versions || rows.length < found.length);
  return {
    going: rows.filter((row) => decideRetention(task.policy, row, task.now).outcome !== 'keep'),
    to: isCut ? { recordId: last.recordId, number: last.number } : { recordId: range.last + 1, number: 0 },
    isLast: !isCut && range.count < batchBounds.records,
  };
}

/** As many rows as have not too much content together, and one at least. */
function cutByBytes(rows: RetentionRow[]): RetentionRow[] {
  let bytes = 0;
  const end = rows.findIndex((row, index) => {
    bytes += row.bytes;
    return index > 0 && bytes > batchBounds.bytes;
  });
  return end === -1 ? rows : rows.slice(0, end);
}

/** The horizon that a collection needs once these versions are gone. */
export function horizonAfter(gone: RetentionRow[], present: number): number {
  return gone.reduce((horizon, row) => Math.max(horizon, row.supersededRevision ?? 0), present);
}
