import type { Move } from './judge.js';
import type { Laws } from './laws.js';
import type { Change, Of } from './operations.js';
import { mergeData, patchData } from './pendings.js';
import { publish } from './publish.js';
import {
  type Address,
  currentData,
  currentNumber,
  type Data,
  nameOf,
  notLive,
  Refusal,
  recordAt,
  requireCollection,
  type State,
  sameData,
  versionData,
} from './state.js';

export function prepareCommitChanges(_state: State, { changes }: Of<'commit-changes'>): void {
  if (new Set(changes.map(nameOf)).size < changes.length) throw new Refusal('invalid-request');
}

export function commitChanges(state: State, laws: Laws, op: Of<'commit-changes'>): unknown {
  const refusals: string[] = [];
  const moves = op.changes.flatMap((change): Move[] => {
    try {
      const data = editedData(state, change);
      if (data !== null && sameData(data, currentData(state, change)) && laws.unchangedMakesNoRevision)
        return [];
      const { collection, key } = change;
      return [{ collection, key, to: data && { data }, message: null }];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusals.push(error.code);
      return [];
    }
  });
  const { dryRun, message = null } = op;
  return publish(state, laws, { kind: 'commit', author: op.by.name, message, dryRun, moves, refusals });
}

function editedData(state: State, change: Change): Data | null {
  requireCollection(state, change.collection);
  const number = currentNumber(state, change) ?? 0;
  if (change.ifVersion !== undefined && change.ifVersion !== number) throw new Refusal('version-conflict');
  const current = currentData(state, change);
  if (change.operation === 'put') return change.data;
  if (current === null) throw notLive(state, change);
  if (change.operation === 'delete') return null;
  return editedFrom(current, change);
}

/** The data after a merge or a patch. */
export function editedFrom(data: Data, edit: Extract<Change, { operation: 'merge' | 'patch' }>): Data {
  return edit.operation === 'merge' ? mergeData(data, edit.patch) : patchData(data, edit.patch);
}

export function requireAdmin({ force, by }: Of<'rollback-record' | 'revert-commit'>): void {
  if (force && !by.admin) throw new Refusal('permission-required');
}

export function rollbackRecord(state: State, laws: Laws, op: Of<'rollback-record'>): unknown {
  const { collection, key, toVersion, ifRevision } = op;
  requireCollection(state, collection);
  const record = recordAt(state, op);
  if (record?.versions[toVersion - 1]?.left === 'deleted') throw new Refusal('version-expired');
  if (record === undefined) throw new Refusal('record-not-found');
  const isSeen = record.current !== null && record.revision === ifRevision;
  if (ifRevision !== undefined && !isSeen && laws.tagsAreCompared) throw new Refusal('precondition-failed');
  const data = versionData(state, op, toVersion);
  if (data === null) throw new Refusal('version-not-found');
  if (record.current === toVersion) throw new Refusal('already-current');
  const to = laws.rollbackMovesPointer ? { number: toVersion } : { data };
  return publish(state, laws, {
    kind: 'rollback',
    author: op.by.name,
    message: null,
    forced: op.force,
    moves: [{ collection, key, to, message: null }],
  });
}

export function prepareRevertCommit(state: State, op: Of<'revert-commit'>): void {
  requireAdmin(op);
  const commit = state.log[op.revision - 1];
  if (commit === undefined) throw new Refusal('commit-not-found');
  if (commit.changes.length === 0) throw new Refusal('revert-impossible');
}

const isDeleted = (state: State, at: Address, number: number | null) =>
  number !== null && recordAt(state, at)?.versions[number - 1]?.left === 'deleted';

export function revertCommit(state: State, laws: Laws, op: Of<'revert-commit'>): unknown {
  const undone = state.log[op.revision - 1]?.changes ?? [];
  const changes = undone.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const refusals: string[] = [];
  const moves = changes.flatMap((change): Move[] => {
    const { collection, key, before } = change;
    if (!state.collections.get(collection)?.inForce) refusals.push('collection-not-found');
    else if (isDeleted(state, change, before)) refusals.push('version-expired');
    // Also where it moved and came back.
    else if (recordAt(state, change)?.revision !== op.revision && laws.revertMindsMoves)
      refusals.push('revert-conflict');
    else if (before !== null) return [{ collection, key, to: { number: before }, message: null }];
    else if (laws.revertDeletesCreated) return [{ collection, key, to: null, message: null }];
    return [];
  });
  return publish(state, laws, {
    kind: 'revert',
    author: op.by.name,
    message: null,
    reverts: op.revision,
    dryRun: op.dryRun,
    forced: op.force,
    moves,
    refusals,
  });
}
