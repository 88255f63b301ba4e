import type { JsonValue } from '../../src/lib/json-value.js';
import type { Rules } from './rules.js';

export type Data = { [member: string]: JsonValue };

export interface Address {
  collection: string;
  key: string;
}

export interface Version {
  data: Data;
  /** The revisions at which it became current. */
  revisions: number[];
  /** What retention has left of it. */
  left: 'kept' | 'archived' | 'deleted';
}

/** Everything about a record that has been committed at least once. Version n is `versions[n - 1]`. */
export interface RecordState extends Address {
  versions: Version[];
  current: number | null;
  revision: number;
}

export interface Pending extends Address {
  /** The title of its changeset; null outside of changesets. */
  changeset: string | null;
  /** null: to be deleted. */
  data: Data | null;
  base: number | null;
  message: string | null;
  stagedBy: string[];
  /** Names this very state of it: what an entity tag stands for. */
  stamp: string;
  validation: { stamp: string; definition: number; current: number | null; valid: boolean } | null;
}

export interface Changeset {
  title: string;
  state: 'open' | 'scheduled' | 'committed' | 'discarded';
  createdBy: string;
  stamp: string;
  approvals: { approver: string; stamp: string }[];
  /** With the numbers of the definitions that it was judged by. */
  validation: { stamp: string; valid: boolean; definitions: Map<string, number> } | null;
  scheduledBy: string | null;
  /** The code of the refusal of its schedule. */
  refusal: string | null;
  closedBy: string | null;
  revision: number | null;
}

export interface Change extends Address {
  before: number | null;
  after: number | null;
}

export interface Commit {
  revision: number;
  kind: 'commit' | 'rollback' | 'revert' | 'definition';
  author: string;
  message: string | null;
  changeset: string | null;
  reverts: number | null;
  forced: boolean;
  /** The collection whose definition it put in force (or ended: null). */
  definition: { collection: string; number: number | null } | null;
  changes: Change[];
}

export interface Collection {
  name: string;
  rules: Rules;
  /** Counts its definitions. */
  number: number;
  inForce: boolean;
  /** The oldest revision that retention has left whole. */
  horizon: number;
}

/** What a reader sees of a record. */
export interface Seen extends Address {
  version: number;
  revision: number;
  data: Data;
  committedBy: string;
  message: string | null;
}

export type Receipt =
  | { of: 'pending'; at: Address; stamp: string; definition: number; current: number | null }
  | { of: 'changeset'; title: string; stamp: string; definitions: string };

/** The whole store, as small as it can be thought of. */
export interface State {
  collections: Map<string, Collection>;
  records: Map<string, RecordState>;
  pendings: Pending[];
  changesets: Map<string, Changeset>;
  log: Commit[];
  /** What readers saw at each revision: `history[n]`. */
  history: Seen[][];
  receipts: Map<string, Receipt>;
  /** Answers kept by principal and Idempotency-Key. */
  answers: Map<string, { request: string; outcome: Outcome }>;
  /** How many states each pending version and changeset has had. */
  edits: Map<string, number>;
}

/** What an operation answers: a refusal by its code, or `ok` with what there is to say. */
export interface Outcome {
  code: string;
  /** Compared as a whole with what the service answers. */
  answer?: unknown;
  replayed?: true;
}

/** The refusal of an operation. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    /** Whether the answer is kept under the Idempotency-Key. */
    readonly kept = false,
  ) {
    super(code);
  }
}

export function emptyState(): State {
  return {
    collections: new Map(),
    records: new Map(),
    pendings: [],
    changesets: new Map(),
    log: [],
    history: [[]],
    receipts: new Map(),
    answers: new Map(),
    edits: new Map(),
  };
}

export const nameOf = ({ collection, key }: Address) => `${collection} ${key}`;

export const pendingName = ({ collection, key, changeset }: Address & { changeset: string | null }) =>
  `${collection} ${key} ${changeset ?? ''}`;

/** A new name for the state of a pending version or a changeset; it does not depend on what happens elsewhere. */
export function nextStamp(state: State, name: string): string {
  const count = (state.edits.get(name) ?? 0) + 1;
  state.edits.set(name, count);
  return `${name} #${count}`;
}

export function requireCollection(state: State, name: string): Collection {
  const collection = state.collections.get(name);
  if (!collection?.inForce) throw new Refusal('collection-not-found');
  return collection;
}

export const recordAt = (state: State, at: Address) => state.records.get(nameOf(at));

/** The number of the version that readers see; null when it is not live. */
export const currentNumber = (state: State, at: Address) => recordAt(state, at)?.current ?? null;

export function versionData(state: State, at: Address, number: number | null): Data | null {
  return number === null ? null : (recordAt(state, at)?.versions[number - 1]?.data ?? null);
}

export const currentData = (state: State, at: Address) => versionData(state, at, currentNumber(state, at));

export const isSame = (a: Address, b: Address) => a.collection === b.collection && a.key === b.key;

export function findPending(state: State, at: Address, changeset: string | null): Pending | undefined {
  return state.pendings.find((pending) => isSame(pending, at) && pending.changeset === changeset);
}

export const membersOf = (state: State, changeset: string) =>
  state.pendings
    .filter((pending) => pending.changeset === changeset)
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));

/** Why a record that is not live is not found. */
export const notLive = (state: State, at: Address) =>
  new Refusal(recordAt(state, at) === undefined ? 'record-not-found' : 'record-deleted');

export const sameData = (a: Data | null, b: Data | null) => canonical(a) === canonical(b);

/** JSON with its members in order, so that equal values are equal texts. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** The same text for states that are the same, however they came about. */
export function fingerprint(state: State): string {
  const sorted = (map: Map<string, unknown>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  const { records, answers, edits, receipts, pendings, ...others } = state;
  const maps = [records, answers, edits, receipts].map(sorted);
  const waiting = [...pendings].sort((a, b) => (pendingName(a) < pendingName(b) ? -1 : 1));
  return canonical({
    ...others,
    collections: sorted(state.collections),
    changesets: [...state.changesets],
    maps,
    waiting,
  });
}
