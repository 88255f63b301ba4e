import { isMoveAllowed, isWhole, type Move } from './judge.js';
import type { Laws } from './laws.js';
import type { Of, Patch, Saw } from './operations.js';
import { publish } from './publish.js';
import {
  type Changeset,
  currentData,
  currentNumber,
  type Data,
  findPending,
  nextStamp,
  notLive,
  type Pending,
  pendingName,
  type Receipt,
  Refusal,
  requireCollection,
  type State,
  sameData,
} from './state.js';

/** Holds what the caller says it saw against what is there. */
export function checkSaw(
  laws: Laws,
  present: { stamp: string } | undefined,
  { saw, fresh, required }: { saw?: Saw; fresh?: true; required: boolean },
): void {
  const isMet = saw === 'any' || !laws.tagsAreCompared || saw?.stamp === present?.stamp;
  if (saw !== undefined && (present === undefined || !isMet)) throw new Refusal('precondition-failed');
  if (fresh && present) throw new Refusal('precondition-failed');
  if (required && present && saw === undefined) throw new Refusal('precondition-required');
}

export function requireChangeset(state: State, title: string, states: Changeset['state'][]): Changeset {
  const changeset = state.changesets.get(title);
  if (changeset === undefined) throw new Refusal('changeset-not-found');
  if (!states.includes(changeset.state)) throw new Refusal('changeset-closed');
  return changeset;
}

/** The changeset that is written to, if any. */
export function openFor(state: State, laws: Laws, at: { collection: string; changeset: string | null }) {
  requireCollection(state, at.collection);
  if (at.changeset === null) return undefined;
  return requireChangeset(state, at.changeset, laws.scheduleCloses ? ['open'] : ['open', 'scheduled']);
}

export function stagePending(state: State, laws: Laws, op: Of<'stage-pending'>): unknown {
  const changeset = openFor(state, laws, op);
  const pending = findPending(state, op, op.changeset);
  checkSaw(laws, pending, { ...op, required: true });
  if (op.base !== undefined && op.base !== currentNumber(state, op)) throw new Refusal('base-outdated');
  if (op.data === null && currentNumber(state, op) === null) throw notLive(state, op);
  write(state, laws, op, { changeset, pending, data: op.data, message: op.message ?? null });
  return { created: pending === undefined };
}

export function patchPending(state: State, laws: Laws, op: Of<'patch-pending'>): unknown {
  const changeset = openFor(state, laws, op);
  const pending = findPending(state, op, op.changeset);
  checkSaw(laws, pending, { ...op, required: false });
  const start = pending ? pending.data : currentData(state, op);
  if (pending === undefined && start === null) throw new Refusal('pending-not-found');
  const isDeletion = pending !== undefined && start === null;
  const data = patched(start, isDeletion, op.patch);
  write(state, laws, op, { changeset, pending, data, message: pending?.message ?? null });
  return { created: pending === undefined };
}

/** The representation `{operation, data}` after a patch. */
function patched(data: Data | null, isDeletion: boolean, patch: Patch): Data | null {
  if (!('merge' in patch)) return data === null ? failPatch(patch) : patchData(data, patch);
  if (patch.merge === 'delete') return null;
  if (patch.merge === 'upsert' && data === null) throw new Refusal('patch-impossible');
  if (isDeletion || typeof patch.merge === 'string') return data;
  return mergeData(data ?? {}, patch.merge);
}

function failPatch(patch: Exclude<Patch, { merge: unknown }>): never {
  throw new Refusal('test' in patch ? 'patch-test-failed' : 'patch-impossible');
}

export function patchData(data: Data, patch: Exclude<Patch, { merge: unknown }>): Data {
  if ('test' in patch) return data.price === patch.test ? { ...data, price: patch.price } : failPatch(patch);
  return Array.isArray(data.related)
    ? { ...data, related: [...data.related, patch.relate] }
    : failPatch(patch);
}

/** A merge patch of one level: null removes. */
export function mergeData(data: Data, patch: Data): Data {
  return Object.fromEntries(Object.entries({ ...data, ...patch }).filter(([name]) => patch[name] !== null));
}

function write(
  state: State,
  laws: Laws,
  op: Of<'stage-pending' | 'patch-pending'>,
  staged: Pick<Pending, 'data' | 'message'> & {
    changeset: Changeset | undefined;
    pending: Pending | undefined;
  },
): void {
  const { data, message, changeset, pending } = staged;
  const { collection, key } = op;
  const stamp = nextStamp(state, pendingName(op));
  if (changeset) changeset.stamp = nextStamp(state, changeset.title);
  if (pending) {
    const stagedBy = [...new Set([...pending.stagedBy, op.by.name])];
    Object.assign(pending, { data, message, stagedBy, stamp });
    if (!laws.baseStays) pending.base = currentNumber(state, op);
  } else {
    const base = currentNumber(state, op);
    const stagedBy = [op.by.name];
    const at = { collection, key, changeset: op.changeset };
    state.pendings.push({ ...at, data, base, message, stagedBy, stamp, validation: null });
  }
}

export function discardPending(state: State, laws: Laws, op: Of<'discard-pending'>): unknown {
  const changeset = openFor(state, laws, op);
  const pending = findPending(state, op, op.changeset);
  if (pending === undefined) throw new Refusal('pending-not-found');
  checkSaw(laws, pending, { ...op, required: true });
  state.pendings = state.pendings.filter((other) => other !== pending);
  if (changeset) changeset.stamp = nextStamp(state, changeset.title);
  return {};
}

/** What committing a pending version does; null where nothing differs. */
export function moveOf(state: State, { collection, key, data, message }: Pending): Move | null {
  if (sameData(data, currentData(state, { collection, key }))) return null;
  return { collection, key, message, to: data && { data } };
}

export function validatePending(state: State, laws: Laws, op: Of<'validate-pending'>): unknown {
  const { number } = requireCollection(state, op.collection);
  const pending = findPending(state, op, op.changeset);
  if (pending === undefined) throw new Refusal('pending-not-found');
  const current = currentNumber(state, op);
  const moves = [moveOf(state, pending) ?? []].flat();
  const allowed = moves.every((move) => isMoveAllowed(state, move));
  const valid = pending.base === current && allowed && isWhole(state, laws, moves);
  const { stamp } = pending;
  pending.validation = { stamp, definition: number, current, valid };
  const at = { collection: op.collection, key: op.key };
  if (valid) state.receipts.set(op.receipt, { of: 'pending', at, stamp, definition: number, current });
  return { valid };
}

/** What is refused before the commit is on its way, and is not kept under its Idempotency-Key. */
export function prepareCommitPending(state: State, op: Of<'commit-pending'>): void {
  if (op.changeset !== null) throw new Refusal('changeset-member');
  if (op.saw !== undefined || op.receipt !== undefined) return;
  requireCollection(state, op.collection);
  throw new Refusal(findPending(state, op, null) ? 'precondition-required' : 'pending-not-found');
}

export function commitPending(state: State, laws: Laws, op: Of<'commit-pending'>): unknown {
  const { number } = requireCollection(state, op.collection);
  const pending = findPending(state, op, null);
  if (pending === undefined) throw new Refusal('pending-not-found');
  if (op.saw !== undefined) checkSaw(laws, pending, { saw: op.saw, required: true });
  const receipt = receiptOf(state, op.receipt);
  if (receipt && (receipt.of !== 'pending' || receipt.stamp !== pending.stamp))
    throw new Refusal('receipt-stale');
  const current = currentNumber(state, op);
  if (laws.baseIsHeld && pending.base !== current) throw new Refusal('base-outdated');
  if (receipt?.of === 'pending') {
    const sameDefinition = receipt.definition === number || !laws.receiptKnowsDefinitions;
    if (!sameDefinition || receipt.current !== current) throw new Refusal('receipt-stale');
  }
  return publish(state, laws, {
    kind: 'commit',
    author: op.by.name,
    message: op.message ?? null,
    validated: receipt !== undefined,
    moves: [moveOf(state, pending) ?? []].flat(),
    consumes: [pending],
  });
}

export function receiptOf(state: State, name: string | undefined): Receipt | undefined {
  if (name === undefined) return undefined;
  const receipt = state.receipts.get(name);
  if (receipt === undefined) throw new Error(`there is no receipt ${name}`);
  return receipt;
}
