import { isJsonObject, jsonEqual, setMember } from './json-object.js';
import { escapeToken } from './json-pointer.js';
import type { JsonObject, JsonValue } from './json-value.js';
import { type KeyedItems, keyItems, orderItems, sameOrder } from './keyed-items.js';
import { growResolutions, type Resolution, type ResolutionTree } from './resolution-tree.js';

/** The three states of one place; undefined is "does not exist". */
export interface Sides {
  base: JsonValue | undefined;
  current: JsonValue | undefined;
  pending: JsonValue | undefined;
}

/** A place that both sides changed, each in its own way. A side that has no value there leaves its member out. */
export interface Conflict {
  pointer: string;
  base?: JsonValue;
  current?: JsonValue;
  pending?: JsonValue;
}

/** A resolution that was put to use. */
export interface Resolved {
  pointer: string;
  resolution: Resolution;
  /** Whether the outcome is another than what pending has there. */
  changed: boolean;
}

/**
 * The name of the member that tells the items of the array at `tokens` apart; null: the array is one value. For
 * an item above it, whichever, `tokens` has `*`.
 */
export type MergeKeyOf = (tokens: readonly string[]) => string | null;

export interface Merge {
  /** Where a conflict is open it has what pending has; undefined: the whole does not exist. */
  merged: JsonValue | undefined;
  /** What no resolution settled. */
  conflicts: Conflict[];
  resolved: Resolved[];
}

/**
 * Merges what `current` and `pending` each made of `base`. Objects are merged member by member; an array is one
 * value, unless `mergeKeyOf` names the member that tells its items apart: then it is merged item by item, and
 * the token of an item in a pointer is its key, because its index differs from side to side. A change on one
 * side wins, equal changes are no conflict, and what one side deleted and the other changed is one.
 * `resolutions` are by the pointer of the conflict that each settles. Where it is not known what base was, nobody
 * can tell who changed what: `current` and `pending` are alike, or in conflict as wholes.
 *
 * Takes linear time, since objects that are gone through are not compared first; arrays with a key are, once
 * for each that they lie in. Recurses where all sides have containers, and never into a resolution.
 */
export function mergeJson(
  sides: Sides,
  options: {
    resolutions?: ReadonlyMap<string, Resolution>;
    mergeKeyOf?: MergeKeyOf;
    isBaseLost?: boolean;
  } = {},
): Merge {
  const { resolutions = new Map(), mergeKeyOf = () => null, isBaseLost = false } = options;
  const run: Run = { mergeKeyOf, conflicts: [], resolved: [], tokens: [] };
  const tree = growResolutions(resolutions);
  const merged = isBaseLost ? chooseWhole(run, sides, tree) : mergePlace(run, sides, '', tree);
  return { merged, conflicts: run.conflicts, resolved: run.resolved };
}

interface Run {
  mergeKeyOf: MergeKeyOf;
  conflicts: Conflict[];
  resolved: Resolved[];
  /** Where the merge is. */
  tokens: string[];
}

type Tree = ResolutionTree | undefined;

const anyItem = '*';

function mergePlace(run: Run, sides: Sides, pointer: string, tree: Tree): JsonValue | undefined {
  const { base, current, pending } = sides;
  if (isJsonObject(current) && isJsonObject(pending) && (base === undefined || isJsonObject(base))) {
    return mergeMembers(run, { base: base ?? {}, current, pending }, pointer, tree);
  }
  if (isSame(current, pending) || isSame(base, current)) return pending;
  if (isSame(base, pending)) return current;
  const items = keyedSides(run, sides);
  return items === null ? settle(run, sides, pointer, tree) : mergeItems(run, items, pointer, tree);
}

function chooseWhole(run: Run, { current, pending }: Sides, tree: Tree): JsonValue | undefined {
  if (isSame(current, pending)) return pending;
  return settle(run, { base: undefined, current, pending }, '', tree);
}

function isSame(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return a === undefined || b === undefined ? a === b : jsonEqual(a, b);
}

function settle(run: Run, sides: Sides, pointer: string, tree: Tree): JsonValue | undefined {
  if (tree?.settled === undefined) {
    run.conflicts.push(conflictAt(pointer, sides));
    return sides.pending;
  }
  const { resolution } = tree.settled;
  const value = typeof resolution === 'string' ? sides[resolution] : resolution.value;
  const changed = !isSame(value, sides.pending);
  run.resolved.push({ pointer: tree.settled.pointer, resolution, changed });
  return value;
}

function conflictAt(pointer: string, { base, current, pending }: Sides): Conflict {
  return {
    pointer,
    ...(base === undefined ? {} : { base }),
    ...(current === undefined ? {} : { current }),
    ...(pending === undefined ? {} : { pending }),
  };
}

function mergeMembers(
  run: Run,
  { base, current, pending }: { base: JsonObject; current: JsonObject; pending: JsonObject },
  pointer: string,
  tree: Tree,
): JsonObject {
  const merged: JsonObject = {};
  // What only base has, both have deleted.
  const others = Object.keys(current).filter((name) => !Object.hasOwn(pending, name));
  for (const name of [...Object.keys(pending), ...others]) {
    const sides = {
      base: memberOf(base, name),
      current: memberOf(current, name),
      pending: memberOf(pending, name),
    };
    run.tokens.push(name);
    const value = mergeBelow(run, name, sides, pointer, tree);
    run.tokens.pop();
    if (value !== undefined) setMember(merged, name, value);
  }
  return merged;
}

function memberOf(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function mergeBelow(
  run: Run,
  token: string,
  sides: Sides,
  pointer: string,
  tree: Tree,
): JsonValue | undefined {
  // Concatenated, not joined: the engine shares the long text of a path between all places below it.
  return mergePlace(run, sides, `${pointer}/${escapeToken(token)}`, tree?.below?.get(token));
}

interface ItemSides {
  base: KeyedItems;
  current: KeyedItems;
  pending: KeyedItems;
}

function keyedSides(run: Run, { base, current, pending }: Sides): ItemSides | null {
  if (!Array.isArray(base) || !Array.isArray(current) || !Array.isArray(pending)) return null;
  const name = run.mergeKeyOf(run.tokens);
  if (name === null) return null;
  const [was, is, shall] = [keyItems(base, name), keyItems(current, name), keyItems(pending, name)];
  return was && is && shall ? { base: was, current: is, pending: shall } : null;
}

/**
 * Items are merged like members. Their order is that of pending where pending has changed it, else that of
 * current; what only the other side has stands after the item that it follows there.
 */
function mergeItems(
  run: Run,
  { base, current, pending }: ItemSides,
  pointer: string,
  tree: Tree,
): JsonValue[] {
  const merged: KeyedItems = new Map();
  run.tokens.push(anyItem);
  for (const key of new Set([...pending.keys(), ...current.keys()])) {
    const sides = { base: base.get(key), current: current.get(key), pending: pending.get(key) };
    const value = mergeBelow(run, key, sides, pointer, tree);
    if (value !== undefined) merged.set(key, value);
  }
  run.tokens.pop();
  return sameOrder(base, pending)
    ? orderItems(merged, current, pending)
    : orderItems(merged, pending, current);
}
