import type { JsonValue } from '../../src/lib/json-value.js';
import type { Laws } from './laws.js';
import type { Of, Resolutions } from './operations.js';
import { checkSaw, openFor, requireChangeset } from './pendings.js';
import {
  currentData,
  currentNumber,
  type Data,
  findPending,
  isSame,
  membersOf,
  nextStamp,
  type Pending,
  pendingName,
  Refusal,
  type State,
  sameData,
  versionData,
} from './state.js';

type Side = JsonValue | undefined;
type Sides = { base: Side; current: Side; pending: Side };

/** What rebasing makes of one pending version. */
interface Merge {
  data: Data | null;
  /** Pointers of what nothing settled. */
  conflicts: string[];
  /** Pointers of the resolutions that settled something. */
  used: string[];
  /** Whether a resolution made something else of it than what was pending. */
  isAuthored: boolean;
}

/** The three-way merge of flat objects: the side that changed wins; both changed, each in its own way, is a conflict. */
function merge(sides: Record<keyof Sides, Data | null>, resolutions: Resolutions): Merge {
  const result: Merge = { data: null, conflicts: [], used: [], isAuthored: false };
  const settle = (pointer: string, { base, current, pending }: Sides): Side => {
    if (same(current, pending) || same(base, current)) return pending;
    if (same(base, pending)) return current;
    const resolution = resolutions[pointer];
    if (resolution === undefined) {
      result.conflicts.push(pointer);
      return pending;
    }
    const value = typeof resolution === 'string' ? { current, pending }[resolution] : resolution.value;
    result.used.push(pointer);
    if (!same(value, pending)) result.isAuthored = true;
    return value;
  };
  const { base, current, pending } = sides;
  if (current === null || pending === null) {
    const whole = settle('', {
      base: base ?? undefined,
      current: current ?? undefined,
      pending: pending ?? undefined,
    });
    result.data = (whole ?? null) as Data | null;
    return result;
  }
  const data: Data = {};
  for (const name of Object.keys({ ...current, ...pending })) {
    const value = settle(`/${name}`, { base: base?.[name], current: current[name], pending: pending[name] });
    if (value !== undefined) data[name] = value;
  }
  result.data = data;
  return result;
}

const same = (a: Side, b: Side) =>
  sameData({ value: a ?? null, is: a !== undefined }, { value: b ?? null, is: b !== undefined });

function mergeMember(state: State, member: Pending, resolutions: Resolutions): Merge {
  const base = versionData(state, member, member.base);
  return merge({ base, current: currentData(state, member), pending: member.data }, resolutions);
}

/** Where somebody would have to decide to rebase this. */
export const conflictsOf = (state: State, member: Pending) => mergeMember(state, member, {}).conflicts;

const isUnused = (resolutions: Resolutions, { used }: Merge) => used.length < Object.keys(resolutions).length;

function lay(state: State, laws: Laws, member: Pending, { data, isAuthored }: Merge, author: string): void {
  const stagedBy = isAuthored ? [...new Set([...member.stagedBy, author])] : member.stagedBy;
  const base = currentNumber(state, member);
  const stamp = nextStamp(state, pendingName(member));
  Object.assign(member, { data: laws.rebaseMerges ? data : member.data, stagedBy, base, stamp });
}

export function rebasePending(state: State, laws: Laws, op: Of<'rebase-pending'>): unknown {
  const changeset = openFor(state, laws, op);
  const pending = findPending(state, op, op.changeset);
  if (pending === undefined) throw new Refusal('pending-not-found');
  checkSaw(laws, pending, { ...(op.saw === undefined ? {} : { saw: op.saw }), required: false });
  if (pending.base === currentNumber(state, op)) return { created: false };
  const merged = mergeMember(state, pending, op.resolutions);
  if (isUnused(op.resolutions, merged)) throw new Refusal('invalid-request');
  if (merged.conflicts.length > 0) throw new Refusal('rebase-conflict');
  lay(state, laws, pending, merged, op.by.name);
  if (changeset) changeset.stamp = nextStamp(state, changeset.title);
  return { created: false };
}

export function rebaseChangeset(state: State, laws: Laws, op: Of<'rebase-changeset'>): unknown {
  const changeset = requireChangeset(state, op.title, ['open']);
  checkSaw(laws, changeset, { ...(op.saw === undefined ? {} : { saw: op.saw }), required: false });
  const outdated = membersOf(state, op.title).filter(
    (member) => member.base !== currentNumber(state, member),
  );
  const merges = outdated.map((member) => {
    const resolutions = op.members.find((given) => isSame(given, member))?.resolutions ?? {};
    return { member, resolutions, merged: mergeMember(state, member, resolutions) };
  });
  const isStray = op.members.some((given) => !outdated.some((member) => isSame(given, member)));
  const isAmiss = isStray || merges.some(({ resolutions, merged }) => isUnused(resolutions, merged));
  if (outdated.length > 0 && isAmiss) throw new Refusal('invalid-request');
  if (merges.some(({ merged }) => merged.conflicts.length > 0)) throw new Refusal('rebase-conflict');
  for (const { member, merged } of merges) lay(state, laws, member, merged, op.by.name);
  if (merges.length > 0) changeset.stamp = nextStamp(state, op.title);
  return {
    rebased: merges.length,
    resolved: merges.reduce((sum, { merged }) => sum + merged.used.length, 0),
  };
}
