import { type Filter, readingsOf, type Sort, splitPath } from '../domain/list-query.js';

/** Collects the parameters of a statement. */
export class Parameters {
  readonly values: unknown[] = [];

  add(value: unknown, cast: string): string {
    this.values.push(value);
    return `$${this.values.length}::${cast}`;
  }
}

/** One expression that a list is ordered by. */
export interface SortKey {
  expression: string;
  type: 'key' | 'value';
  descending: boolean;
}

/** Keys run up to here: none is as long. */
export const afterAllKeys = '\u{10ffff}'.repeat(256);

const valueAt = (parameters: Parameters, path: string) =>
  `(parsed.data #> ${parameters.add(splitPath(path), 'text[]')})`;

/** What the list is ordered by: each path of content, and the key at last, which no two records share. */
export function sortKeys(parameters: Parameters, sort: Sort[]): SortKey[] {
  const keys: SortKey[] = [];
  for (const { path, descending } of sort) {
    if (path === 'key') return [...keys, { expression: 'r.key', type: 'key', descending }];
    keys.push({ expression: `sort_value(${valueAt(parameters, path)})`, type: 'value', descending });
  }
  return [...keys, { expression: 'r.key', type: 'key', descending: false }];
}

/** Names of the sort keys in a sub-query. */
export const nameOf = (index: number) => `s${index}`;

/** How a position in the list, made of texts, is read back. */
export const positionOf = (key: SortKey, name: string) =>
  key.type === 'key' ? name : `encode(${name}, 'hex')`;

/** A value is its kind and at most 250 characters; a cursor comes from outside. */
const storedValue = /^0[0-6]([0-9a-f]{2}){0,1000}$/;

/** Whether these values can be a position of this order. */
export function isPosition(sort: Sort[], values: string[]): boolean {
  const keys = sortKeys(new Parameters(), sort);
  return (
    keys.length === values.length &&
    keys.every(({ type }, index) => {
      const value = values[index] ?? '';
      return type === 'key' ? !value.includes('\0') && value.isWellFormed() : storedValue.test(value);
    })
  );
}

/** Rows after a position, for keys that may run in different directions. */
export function afterCondition(parameters: Parameters, keys: SortKey[], after: string[]): string {
  const values = keys.map(({ type }, index) => {
    const value = after[index] ?? '';
    return type === 'key'
      ? parameters.add(value, 'text')
      : parameters.add(Buffer.from(value, 'hex'), 'bytea');
  });
  const alternatives = keys.map((key, index) => {
    const equal = keys
      .slice(0, index)
      .map((earlier, position) => `${earlier.expression} = ${values[position]}`);
    return `(${[...equal, `${key.expression} ${key.descending ? '<' : '>'} ${values[index]}`].join(' AND ')})`;
  });
  return `(${alternatives.join(' OR ')})`;
}

/** What a filter asks of `parsedContent`. */
export function filterCondition(parameters: Parameters, { path, op, value }: Filter): string {
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
