import type { Failure } from '../domain/failure.js';

/** Name and value of one `filter[path][op]=value`, as they stand in the URL, decoded. */
export type RawFilter = [name: string, value: string];

/** The parameters by name; `filter` holds all of its kind. The object has no prototype. */
export type RawQuery = Record<string, string | RawFilter[]>;

const MALFORMED = 'Percent-encoding must be complete and make valid UTF-8.';

/**
 * Reads the query of a URL, `+` being a space. Every parameter may stand once only, because programs differ in
 * which of two they believe.
 * @returns the parameters and every failure found, with pointers like `/limit`.
 */
export function parseQuery(url: string): { query: RawQuery; failures: Failure[] } {
  const query: RawQuery = Object.create(null);
  const failures: Failure[] = [];
  const filters: RawFilter[] = [];
  const seen = new Set<string>();
  const start = url.indexOf('?');
  const text = start < 0 ? '' : url.slice(start + 1);
  for (const pair of text.split('&')) {
    if (pair === '') {
      continue;
    }
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = decode(equals < 0 ? '' : pair.slice(equals + 1));
    if (name === null || value === null) {
      failures.push(failure(name ?? '', 'encoding', MALFORMED));
    } else if (value.includes('\u0000') || name.includes('\u0000')) {
      failures.push(failure(name, 'encoding', 'U+0000 cannot occur in anything that is stored.'));
    } else if (seen.has(name)) {
      failures.push(failure(name, 'repeated', `\`${name}\` may be given once only.`));
    } else {
      seen.add(name);
      if (name.startsWith('filter[')) {
        filters.push([name, value]);
      } else {
        query[name] = value;
      }
    }
  }
  if (filters.length > 0) {
    if (seen.has('filter')) {
      failures.push(failure('filter', 'format', 'A filter has the form filter[path][op]=value.'));
    }
    query.filter = filters;
  }
  return { query, failures };
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

function failure(name: string, code: string, message: string): Failure {
  const pointer = name === '' ? '' : `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return { pointer, code, message, in: 'query' };
}
