import { type Filter, readingsOf, type Sort, splitPath } from '../domain/list-query.js';
import type { Executor } from './db.js';
import { previewAt, previewColumns, type RecordStateRow, stateAt, stateColumns } from './readers.js';

export interface ListRequest {
  collectionId: number;
  revision: number;
  /** The changeset that is laid over this state, or null. */
  changesetId: string | null;
  keyPrefix: string | undefined;
  filters: Filter[];
  sort: Sort[];
  limit: number;
  /** Bytes of content at most, but for the first item. */
  maxBytes: number;
  /** The sort values of the last item of the page before, in the order of `sortKeys`. */
  after: string[] | null;
}

/** Where an item comes from: a commit, or the changeset that is laid over the state. */
export type Origin =
  | { pending: false; revision: number; version: number; committedAt: Date; committedBy: string }
  | { pending: true; revision: null; version: null; committedAt: null; committedBy: null };

export type ListedRow = Pick<RecordStateRow, 'key' | 'message'> & {
  content: string;
  digest: Buffer;
  /** The values by which the row is ordered, as text; the cursor of what follows it. */
  position: string[];
  /** Whether there is more than what was answered. */
  more: boolean;
} & Origin;

/** One expression that the list is ordered by. Values of a path are ordered by type, then by value. */
interface SortKey {
  expression: string;
  type: 'integer' | 'numeric' | 'text';
  descending: boolean;
}

/** Collects the parameters of a statement. */
class Parameters {
  readonly values: unknown[] = [];

  add(value: unknown, cast: string): string {
    this.values.push(value);
    return `$${this.values.length}::${cast}`;
  }
}

/**
 * Live records of a collection as of a revision, or as a changeset would leave it, filtered, ordered, after a
 * position. Fewer than `limit` come back where they are large. Below the horizon that comes with them they say
 * nothing.
 */
export async function listRecordStates(
  executor: Executor,
  request: ListRequest,
): Promise<{ horizon: number; rows: ListedRow[] }> {
  const parameters = new Parameters();
  const revision = parameters.add(request.revision, 'bigint');
  const collectionId = parameters.add(request.collectionId, 'bigint');
  const source =
    request.changesetId === null
      ? { columns: `${stateColumns()}, false AS pending`, joins: stateJoins(revision) }
      : {
          columns: previewColumns,
          joins: previewAt(revision, parameters.add(request.changesetId, 'uuid')),
        };
  const conditions = [`r.collection_id = ${collectionId}`];
  // A preview also joins what it deletes, and what is not live.
  if (request.changesetId !== null) conditions.push(`v.operation = 'upsert'`);
  if (request.keyPrefix !== undefined)
    conditions.push(`starts_with(r.key, ${parameters.add(request.keyPrefix, 'text')})`);
  for (const filter of request.filters) conditions.push(filterCondition(parameters, filter));
  const keys = sortKeys(parameters, request.sort);
  if (request.after) conditions.push(afterCondition(parameters, keys, request.after));
  const order = (names: (key: SortKey, index: number) => string) =>
    keys.map((key, index) => `${names(key, index)} ${key.descending ? 'DESC' : 'ASC'}`).join(', ');
  // The horizon comes with every row, and with a row of its own when there are none: of the same moment as they.
  const found = await executor.queryOnce<{ horizon: number } & (ListedRow | { key: null })>(
    `WITH listed AS (
     SELECT key, revision, version, content, digest, "committedAt", "committedBy", message, pending, position, row,
            (found > ${parameters.add(request.limit, 'bigint')} OR shown < found) AND row = shown AS more
     FROM (
       SELECT *, count(*) OVER () AS shown
       FROM (
         SELECT page.*, count(*) OVER () AS found, row_number() OVER (ORDER BY ${order((_, index) => `s${index}`)}) AS row,
                sum(octet_length(content)) OVER (ORDER BY ${order((_, index) => `s${index}`)}) - octet_length(content) AS bytes_before
         FROM (
           SELECT ${source.columns}, ${keys.map((key, index) => `${key.expression} AS s${index}`).join(', ')},
                  ARRAY[${keys.map((key) => `(${key.expression})::text`).join(', ')}] AS position
           FROM record r ${source.joins}
           WHERE ${conditions.join(' AND ')}
           ORDER BY ${order((key) => key.expression)}
           LIMIT ${parameters.add(request.limit + 1, 'bigint')}
         ) AS page
       ) AS measured
       WHERE bytes_before < ${parameters.add(request.maxBytes, 'bigint')} AND row <= ${parameters.add(request.limit, 'bigint')}
     ) AS page
     )
     SELECT c.horizon, listed.* FROM collection c LEFT JOIN listed ON true
     WHERE c.id = ${collectionId}
     ORDER BY listed.row`,
    parameters.values,
  );
  return {
    horizon: found[0]?.horizon ?? 0,
    rows: found.flatMap((row) => (row.key === null ? [] : [row])),
  };
}

const stateJoins = (revision: string) => `
  ${stateAt(revision)}
  JOIN version v ON v.id = state.version_id
  JOIN commit k ON k.revision = state.revision`;

/** How many values a position has for this order. */
export function positionLength(sort: Sort[]): number {
  return sortKeys(new Parameters(), sort).length;
}

/** Whether these values can be a position of this order; they come from outside. */
export function isPosition(sort: Sort[], values: string[]): boolean {
  const keys = sortKeys(new Parameters(), sort);
  return (
    keys.length === values.length &&
    keys.every((key, index) => {
      const value = values[index] ?? '';
      if (value.includes('\0') || !value.isWellFormed()) return false;
      if (key.type === 'integer') return /^\d$/.test(value);
      return key.type === 'text' || /^-?\d{1,400}(\.\d{1,400})?$/.test(value);
    })
  );
}

const valueAt = (parameters: Parameters, path: string) =>
  `(v.data #> ${parameters.add(splitPath(path), 'text[]')})`;

function sortKeys(parameters: Parameters, sort: Sort[]): SortKey[] {
  const keys: SortKey[] = [];
  for (const { path, descending } of sort) {
    if (path === 'key') return [...keys, { expression: 'r.key', type: 'text', descending }];
    const value = valueAt(parameters, path);
    keys.push(
      {
        expression: `CASE jsonb_typeof(${value}) WHEN 'null' THEN 0 WHEN 'boolean' THEN 1 WHEN 'number' THEN 2 WHEN 'string' THEN 3 WHEN 'array' THEN 4 WHEN 'object' THEN 5 ELSE 6 END`,
        type: 'integer',
        descending,
      },
      {
        expression: `CASE jsonb_typeof(${value}) WHEN 'number' THEN ${value}::numeric WHEN 'boolean' THEN ${value}::boolean::integer::numeric ELSE 0 END`,
        type: 'numeric',
        descending,
      },
      {
        expression: `(CASE jsonb_typeof(${value}) WHEN 'string' THEN ${value} #>> '{}' ELSE '' END COLLATE "C")`,
        type: 'text',
        descending,
      },
    );
  }
  return [...keys, { expression: 'r.key', type: 'text', descending: false }];
}

/** Rows after a position, for keys that may run in different directions. */
function afterCondition(parameters: Parameters, keys: SortKey[], after: string[]): string {
  const values = keys.map((key, index) => parameters.add(after[index] ?? '', key.type));
  const alternatives = keys.map((key, index) => {
    const equal = keys
      .slice(0, index)
      .map((earlier, position) => `${earlier.expression} = ${values[position]}`);
    return `(${[...equal, `${key.expression} ${key.descending ? '<' : '>'} ${values[index]}`].join(' AND ')})`;
  });
  return `(${alternatives.join(' OR ')})`;
}

function filterCondition(parameters: Parameters, { path, op, value }: Filter): string {
  const found = valueAt(parameters, path);
  switch (op) {
    case 'eq':
      return equals(parameters, found, [value]);
    case 'ne':
      return `NOT ${equals(parameters, found, [value])}`;
    case 'in':
      return equals(parameters, found, value.split(','));
    case 'lt':
      return compares(parameters, found, '<', value);
    case 'lte':
      return compares(parameters, found, '<=', value);
    case 'gt':
      return compares(parameters, found, '>', value);
    case 'gte':
      return compares(parameters, found, '>=', value);
    case 'prefix':
      return `CASE jsonb_typeof(${found}) WHEN 'string' THEN starts_with(${found} #>> '{}', ${parameters.add(value, 'text')}) ELSE false END`;
    case 'contains':
      return `CASE jsonb_typeof(${found}) WHEN 'string' THEN strpos(${found} #>> '{}', ${parameters.add(value, 'text')}) > 0
                WHEN 'array' THEN ${found} @> ANY (${candidates(parameters, [value], (candidate) => [candidate])}) ELSE false END`;
    case 'exists':
      return `(${found} IS NOT NULL) = ${parameters.add(value === 'true', 'boolean')}`;
  }
}

const equals = (parameters: Parameters, found: string, values: string[]) =>
  `coalesce(${found} = ANY (${candidates(parameters, values)}), false)`;

function candidates(
  parameters: Parameters,
  values: string[],
  wrap: (value: unknown) => unknown = (value) => value,
): string {
  const readings = values.flatMap((value) => {
    const { text, literal } = readingsOf(value);
    return literal === undefined ? [text] : [text, literal];
  });
  return parameters.add(
    readings.map((reading) => JSON.stringify(wrap(reading))),
    'jsonb[]',
  );
}

/** Numbers are compared with numbers and texts, code point by code point, with texts. */
function compares(parameters: Parameters, found: string, operator: string, value: string): string {
  const { literal } = readingsOf(value);
  const number =
    typeof literal === 'number'
      ? `${found}::numeric ${operator} ${parameters.add(String(literal), 'numeric')}`
      : 'false';
  return `CASE jsonb_typeof(${found}) WHEN 'number' THEN ${number}
            WHEN 'string' THEN (${found} #>> '{}') COLLATE "C" ${operator} ${parameters.add(value, 'text')} ELSE false END`;
}
