import type { Laws } from './laws.js';
import type { Of } from './operations.js';
import { nameOf, type RecordState, Refusal, requireCollection, type State } from './state.js';

/** The revision at which a version ceased to be current, for the last time. */
function supersededAt(state: State, record: RecordState, number: number): number {
  const commit = state.log.findLast(({ changes }) =>
    changes.some((change) => nameOf(change) === nameOf(record) && change.before === number),
  );
  return commit?.revision ?? 0;
}

/** Applies the retention policy of a collection. */
export function runRetention(state: State, laws: Laws, op: Of<'run-retention'>): unknown {
  if (!op.dryRun && !op.by.admin) throw new Refusal('permission-required');
  const collection = requireCollection(state, op.collection);
  const { keepVersions, onExpire } = collection.rules.retention ?? { keepVersions: 100, onExpire: 'archive' };
  const left = onExpire === 'archive' ? 'archived' : 'deleted';
  const result = { archived: 0, deleted: 0, horizon: collection.horizon, complete: true };
  for (const record of state.records.values()) {
    if (record.collection !== collection.name) continue;
    for (const [index, version] of record.versions.entries()) {
      const number = index + 1;
      const isBase = state.pendings.some((each) => nameOf(each) === nameOf(record) && each.base === number);
      const isNew = number > record.versions.length - keepVersions;
      const isGone = version.left === 'deleted' || version.left === left;
      const isNeeded = record.current === number || (isBase && laws.basesAreKept);
      if (isGone || isNew || isNeeded) continue;
      result[left] += 1;
      result.horizon = Math.max(result.horizon, supersededAt(state, record, number));
      if (!op.dryRun) version.left = left;
    }
  }
  if (!op.dryRun) collection.horizon = result.horizon;
  return result;
}
