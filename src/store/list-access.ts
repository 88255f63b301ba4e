import { type Filter, type Sort, splitPath } from '../domain/list-query.js';
import {
  areExact,
  arePoints,
  everything,
  intersect,
  next,
  rangesOf,
  type SortRange,
  textAfterPrefix,
} from '../domain/sort-value.js';
import type { Executor } from './db.js';
import { afterAllKeys } from './list-conditions.js';

/** Part of an index: values of a range, of records whose keys are of a range. */
export interface IndexPart extends SortRange {
  keyFrom: string;
  keyTo: string;
}

/** How a list comes to its records. */
export type Access =
  /** Along the keys. */
  | { by: 'key' }
  /**
   * Along an index, whose order is that of the list in its values, in the keys of each single value, or not at all. It
   * leaves some of the filters to be asked of the content.
   */
  | { by: 'index'; indexId: number; parts: IndexPart[]; order: 'value' | 'key' | 'none'; left: Filter[] };

export interface Question {
  collectionId: number;
  keyPrefix: string | undefined;
  filters: Filter[];
  sort: Sort[];
  after: string[] | null;
}

interface Restricted {
  indexId: number;
  ranges: SortRange[];
}

/** So many entries are sorted rather than that a list goes along another order, looking for those that it wants. */
const fewEntries = 10_000;

/**
 * Chooses by what a list is driven. Along the index that it is sorted by, if there is one; a filter that lets few
 * records through is better than that. A filter on single values keeps the order of keys.
 */
export async function chooseAccess(executor: Executor, question: Question): Promise<Access> {
  const { filters, sort } = question;
  const order = sort[0]?.path ?? 'key';
  const paths = [...filters.map(({ path }) => path), ...(order === 'key' ? [] : [order])];
  if (paths.length === 0) return { by: 'key' };
  const ids = await findReadyIndexes(executor, question.collectionId, paths);
  const restricted = restrictionsOf(filters, ids);
  const sorted = order === 'key' ? undefined : ids.get(nameOfPath(order));
  const along =
    sorted === undefined
      ? restricted.find(({ ranges }) => order === 'key' && arePoints(ranges))
      : (restricted.find(({ indexId }) => indexId === sorted) ?? { indexId: sorted, ranges: [everything] });
  const isOnlyChoice = restricted.every((one) => one === along);
  const least = isOnlyChoice ? undefined : await findLeast(executor, restricted);
  const chosen = least ?? along;
  if (chosen === undefined) return { by: 'key' };
  const { indexId, ranges } = chosen;
  const left = filters.filter(
    (filter) =>
      ids.get(nameOfPath(filter.path)) !== indexId || rangesOf(filter) === null || !areExact(filter),
  );
  if (indexId === sorted)
    return { by: 'index', indexId, parts: partsBehind(question, ranges), order: 'value', left };
  const keys = keyRange(question);
  const parts = ranges.map((range) => ({ ...range, ...keys }));
  return { by: 'index', indexId, parts, order: order === 'key' && arePoints(ranges) ? 'key' : 'none', left };
}

const nameOfPath = (path: string) => JSON.stringify(splitPath(path));

async function findReadyIndexes(
  executor: Executor,
  collectionId: number,
  paths: string[],
): Promise<Map<string, number>> {
  const rows = await executor.query<{ id: number; path: string[] }>(
    `SELECT id, path FROM list_index WHERE collection_id = $1 AND state = 'ready'`,
    [collectionId],
  );
  const wanted = new Set(paths.map(nameOfPath));
  return new Map(
    rows.map(({ id, path }) => [JSON.stringify(path), id] as const).filter(([name]) => wanted.has(name)),
  );
}

/** What the filters leave of each index. */
function restrictionsOf(filters: Filter[], ids: Map<string, number>): Restricted[] {
  const found = new Map<number, SortRange[]>();
  for (const filter of filters) {
    const indexId = ids.get(nameOfPath(filter.path));
    const ranges = rangesOf(filter);
    if (indexId !== undefined && ranges !== null)
      found.set(indexId, intersect(found.get(indexId) ?? [everything], ranges));
  }
  return [...found].map(([indexId, ranges]) => ({ indexId, ranges }));
}

/** The one that leaves the fewest records, if those are few. */
async function findLeast(executor: Executor, restricted: Restricted[]): Promise<Restricted | undefined> {
  // One after the other: a list is no reason to take more than one connection.
  const counts: number[] = [];
  for (const one of restricted) counts.push(await countEntries(executor, one));
  const least = Math.min(...counts);
  return least > fewEntries ? undefined : restricted[counts.indexOf(least)];
}

/** How many entries there are, up to one more than few. */
async function countEntries(executor: Executor, { indexId, ranges }: Restricted): Promise<number> {
  const [row] = await executor.query<{ count: number }>(
    `SELECT count(*) FROM (
       SELECT FROM unnest($2::bytea[], $3::bytea[]) AS part (value_from, value_to)
       JOIN index_entry e ON e.index_id = $1 AND e.value >= part.value_from AND e.value < part.value_to
       LIMIT ${fewEntries + 1}
     ) AS few`,
    [indexId, ranges.map(({ from }) => from), ranges.map(({ to }) => to)],
  );
  return row?.count ?? 0;
}

/** The keys that a list may show, from and to. */
export function keyRange({ keyPrefix, sort, after }: Question): { keyFrom: string; keyTo: string } {
  const range = {
    keyFrom: keyPrefix ?? '',
    keyTo: (keyPrefix === undefined ? null : textAfterPrefix(keyPrefix)) ?? afterAllKeys,
  };
  const last = after?.[0];
  const isByKey = sort[0] === undefined || sort[0].path === 'key';
  return last === undefined || !isByKey ? range : behind(range, last, sort[0]?.descending === true);
}

/** The part of a range of keys that is behind a key. */
function behind(range: { keyFrom: string; keyTo: string }, key: string, descending: boolean) {
  // No character is before U+0001, so this is the least text behind the key.
  const following = `${key}\u0001`;
  if (descending) return compareTexts(key, range.keyTo) < 0 ? { ...range, keyTo: key } : range;
  return compareTexts(following, range.keyFrom) > 0 ? { ...range, keyFrom: following } : range;
}

const compareTexts = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What of the ranges is still to come after the position of a list that is in the order of the index. */
function partsBehind(question: Question, ranges: SortRange[]): IndexPart[] {
  const { sort, after } = question;
  const [first, second] = sort;
  const [last, lastKey] = after ?? [];
  const keys = keyRange(question);
  if (last === undefined) return ranges.map((range) => ({ ...range, ...keys }));
  const value = Buffer.from(last, 'hex');
  const rest: SortRange = first?.descending
    ? { from: everything.from, to: value }
    : { from: next(value), to: everything.to };
  const isThenByKey = second === undefined || second.path === 'key';
  const sameKeys =
    isThenByKey && lastKey !== undefined ? behind(keys, lastKey, second?.descending === true) : keys;
  return [
    ...intersect(ranges, [{ from: value, to: next(value) }]).map((range) => ({ ...range, ...sameKeys })),
    ...intersect(ranges, [rest]).map((range) => ({ ...range, ...keys })),
  ];
}
