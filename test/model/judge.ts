import type { Laws } from './laws.js';
import { isAllowed, type Rules, referencesOf, uniqueValues } from './rules.js';
import {
  type Address,
  currentData,
  currentNumber,
  type Data,
  nameOf,
  requireCollection,
  type State,
  versionData,
} from './state.js';

/** What a commit does to one record: a new version, an old one, or none (null). */
export interface Move extends Address {
  to: { data: Data } | { number: number } | null;
  /** Of the pending version that it makes current. */
  message: string | null;
}

export function dataAfter(state: State, move: Move): Data | null {
  if (move.to === null) return null;
  return 'data' in move.to ? move.to.data : versionData(state, move, move.to.number);
}

/** Whether the schema and rules of its own collection allow a move. */
export function isMoveAllowed(state: State, move: Move): boolean {
  const { rules } = requireCollection(state, move.collection);
  return isAllowed(rules, dataAfter(state, move), currentData(state, move));
}

/** Whether the state after these moves keeps what must hold across records. */
export function isWhole(state: State, laws: Laws, moves: Move[]): boolean {
  if (laws.commitIsJudgedWhole) return isSound(state, laws, moves);
  return moves.every((_, index) => isSound(state, laws, moves.slice(0, index + 1)));
}

function isSound(state: State, laws: Laws, moves: Move[]): boolean {
  const live = new Map<string, { at: Address; data: Data }>();
  for (const at of [...state.records.values(), ...moves]) {
    const data = currentData(state, at);
    if (data !== null) live.set(nameOf(at), { at, data });
  }
  const values: string[] = [];
  for (const move of moves) {
    const data = dataAfter(state, move);
    const before = live.get(nameOf(move));
    if (data === null && before && !laws.deletionFreesValues) values.push(...claims(state, before));
    if (data === null) live.delete(nameOf(move));
    else live.set(nameOf(move), { at: move, data });
  }
  for (const record of live.values()) values.push(...claims(state, record));
  if (new Set(values).size < values.length) return false;
  const leadsOn = ({ at, data }: { at: Address; data: Data }) =>
    referencesOf(rulesOf(state, at), data).every((target) => live.has(nameOf(target)));
  return !laws.referencesHold || [...live.values()].every(leadsOn);
}

/** Whether what is live in a collection would be sound by these rules. */
export function isSoundBy(state: State, collection: string, rules: Rules): boolean {
  const live = [...state.records.values()].flatMap((record) => {
    const data = record.collection === collection ? currentData(state, record) : null;
    return data === null ? [] : [data];
  });
  const values = live.flatMap((data) => uniqueValues(rules, data));
  return (
    live.every((data) => isAllowed(rules, data, data)) &&
    new Set(values).size === values.length &&
    live.every((data) => referencesOf(rules, data).every((at) => currentNumber(state, at) !== null))
  );
}

const rulesOf = (state: State, at: Address) => requireCollection(state, at.collection).rules;

const claims = (state: State, { at, data }: { at: Address; data: Data }) =>
  uniqueValues(rulesOf(state, at), data).map((value) => `${at.collection} ${value}`);
