import type { JsonValue } from '../lib/json-value.js';

export const filterOperators = [
  'eq',
  'ne',
  'lt',
  'lte',
  'gt',
  'gte',
  'in',
  'prefix',
  'contains',
  'exists',
] as const;
export type FilterOperator = (typeof filterOperators)[number];

/** A condition on `data`; `path` is dotted (`price.amount`), or a JSON Pointer when it begins with `/`. */
export interface Filter {
  path: string;
  op: FilterOperator;
  value: string;
}

/** `path` is `key`, or a path into `data` as in filters. */
export interface Sort {
  path: string;
  descending: boolean;
}

/** The members that a path names, from the root of `data`. */
export function splitPath(path: string): string[] {
  if (!path.startsWith('/')) return path.split('.');
  return path
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/**
 * What a value in a query may stand for: the text itself and, where it reads as one, the JSON number,
 * boolean or null. Types are those of the data: `filter[zip][eq]=01234` finds the text, `…=7` finds both
 * 7 and "7".
 */
export function readingsOf(value: string): {
  text: string;
  literal?: Exclude<JsonValue, object | string> | null;
} {
  if (value === 'true' || value === 'false') return { text: value, literal: value === 'true' };
  if (value === 'null') return { text: value, literal: null };
  if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(value) && Number.isFinite(Number(value))) {
    return { text: value, literal: Number(value) };
  }
  return { text: value };
}
