import { isJsonObject } from '../lib/json-object.js';
import { formatPointer } from '../lib/json-pointer.js';
import type { JsonObject, JsonValue } from '../lib/json-value.js';
import { type Conflict, type MergeKeyOf, mergeJson, type Resolved } from '../lib/merge-json.js';
import type { Resolution } from '../lib/resolution-tree.js';
import type { Failure } from './failure.js';
import { maxDataDepth } from './stage.js';

/** By the pointer, into `data`, of the conflict that each settles. */
export type Resolutions = ReadonlyMap<string, Resolution>;

/** The resolutions for one member of a changeset. */
export interface MemberResolutions {
  collection: string;
  key: string;
  resolutions: Resolutions;
}

/** How a conflict of rebasing was settled: kept with the pending version, and with the version it becomes. */
export interface StoredResolution {
  pointer: string;
  resolution: Resolution;
  by: string;
  /** When, in RFC 3339. */
  at: string;
}

/** The states of a record that rebasing is about; null where it is not live, or is to be deleted. */
export interface RebaseSides {
  /** `lost`: its content has been deleted. */
  base: JsonObject | null | 'lost';
  current: JsonObject | null;
  pending: JsonObject | null;
}

/** What a pending version is on the current base, the places where somebody must decide, or what is amiss. */
export type Rebased =
  | { data: JsonObject | null; resolved: Resolved[] }
  | { conflicts: Conflict[] }
  | { failures: Failure[] };

/**
 * Lays what was staged on the state that is current now. Members are merged; a deletion beside a change of the
 * same record is a conflict at `""`, and so are two different states when it is lost what they come from.
 *
 * @param options.pointer where the resolutions stand in the request, for failures
 */
export function rebaseStates(
  sides: RebaseSides,
  resolutions: Resolutions,
  options: { mergeKeyAt: MergeKeyOf; pointer: string },
): Rebased {
  const isBaseLost = sides.base === 'lost';
  const { merged, conflicts, resolved } = mergeJson(
    {
      base: isBaseLost ? undefined : (sides.base ?? undefined),
      current: sides.current ?? undefined,
      pending: sides.pending ?? undefined,
    },
    { resolutions: reachable(resolutions), mergeKeyOf: boundedKeys(options.mergeKeyAt), isBaseLost },
  );
  const failures = [
    ...unusedFailures(resolutions, resolved, options.pointer),
    ...wholeFailures(merged, options.pointer),
  ];
  if (failures.length > 0) return { failures };
  if (conflicts.length > 0) return { conflicts };
  return { data: isJsonObject(merged) ? merged : null, resolved };
}

function unusedFailures(resolutions: Resolutions, resolved: Resolved[], pointer: string): Failure[] {
  const used = new Set(resolved.map((settled) => settled.pointer));
  const failures: Failure[] = [];
  for (const place of resolutions.keys()) {
    if (failures.length === maxListedFailures) break;
    if (!used.has(place)) failures.push(noConflict(pointer + formatPointer([place])));
  }
  return failures;
}

/** A body may hold a million resolutions of nothing: the first say enough. */
export const maxListedFailures = 1_000;

/** Without those that lead deeper than data goes, whatever their number of tokens. */
function reachable(resolutions: Resolutions): Resolutions {
  return new Map([...resolutions].filter(([pointer]) => !isDeeperThan(pointer, maxDataDepth)));
}

function isDeeperThan(pointer: string, depth: number): boolean {
  let at = -1;
  for (let tokens = 0; tokens <= depth; tokens += 1) {
    at = pointer.indexOf('/', at + 1);
    if (at === -1) return false;
  }
  return true;
}

/** The failure of a resolution, at `pointer` in the request, that settles nothing. */
export function noConflict(pointer: string): Failure {
  return { pointer, code: 'no-conflict', message: 'There is no conflict here.' };
}

/** Only a resolution of the whole can make something else of it than an object. */
function wholeFailures(merged: JsonValue | undefined, pointer: string): Failure[] {
  if (merged === undefined || isJsonObject(merged)) return [];
  const place = `${pointer}${formatPointer([''])}/value`;
  return [{ pointer: place, code: 'type', message: 'Must be a JSON object: it is the whole of `data`.' }];
}

/** Places whose merge key is looked up for one record, at most; a lookup may take half a millisecond. */
export const maxMergeKeyPlaces = 200;

interface Known {
  key?: string | null;
  below: Map<string, Known>;
}

/** The same keys, each looked up once; beyond so many places an array is one value. */
function boundedKeys(mergeKeyAt: MergeKeyOf): MergeKeyOf {
  const root: Known = { below: new Map() };
  let count = 0;
  return (tokens) => {
    let at = root;
    for (const token of tokens) {
      const next = at.below.get(token) ?? { below: new Map() };
      at.below.set(token, next);
      at = next;
    }
    if (at.key === undefined) {
      at.key = count < maxMergeKeyPlaces ? mergeKeyAt(tokens) : null;
      count += 1;
    }
    return at.key;
  };
}
