import { z } from 'zod';
import { type Filter, filterOperators, type Sort } from '../../domain/list-query.js';
import type { RawFilter } from '../query-string.js';
import { integerText } from './primitives.js';

export const PAGE_LIMIT_DEFAULT = 100;
const PAGE_LIMIT_MAX = 1000;
const TERMS_MAX = 50;
/** Each term is three expressions that all rows are ordered by. */
const SORT_TERMS_MAX = 8;
const KEY_PREFIX_MAX = 255;

export const limitText = integerText(1, PAGE_LIMIT_MAX, {
  description: `Items per page: 1 to ${PAGE_LIMIT_MAX}, ${PAGE_LIMIT_DEFAULT} if not given.`,
  default: PAGE_LIMIT_DEFAULT,
});

/** The paging of every list. */
export const pagingQuery = {
  limit: limitText.default(PAGE_LIMIT_DEFAULT),
  cursor: z
    .string()
    .min(1)
    .meta({
      description: '`next` of the page before, as it is. It belongs to the query that it came from.',
    })
    .optional(),
};

/** A moment of the past, for reads of an earlier state. */
export const timeText = z.iso
  .datetime({ offset: true, error: 'Must be a time like 2026-11-22T10:00:00.000Z (RFC 3339).' })
  .transform((text) => new Date(text))
  .meta({
    format: 'date-time',
    description: 'Read the state of this moment (RFC 3339). Not together with `revision`.',
  });

/** Whether `path` is a dotted path without empty steps, or a JSON Pointer (RFC 6901). */
function isPath(path: string): boolean {
  return path.startsWith('/')
    ? !/~(?![01])/.test(path)
    : path !== '' && path.split('.').every((step) => step !== '');
}

const PATH_FORM = 'a dotted path like price.amount, or a JSON Pointer like /price/amount';

const isRawFilters = (value: unknown): value is RawFilter[] => Array.isArray(value);

/** `filter[path][op]=value`, or `filter[path]={"op":"value"}` as generated clients write nested objects. */
export const filterParameters = z
  .custom<RawFilter[]>(isRawFilters, 'A filter has the form filter[path][op]=value.')
  .transform((parameters, context) => {
    const filters: Filter[] = [];
    for (const [name, value] of parameters) {
      const read = readFilter(name, value);
      if (typeof read === 'string') {
        context.addIssue({ code: 'custom', message: read, params: { parameter: name } });
      } else {
        filters.push(...read);
      }
    }
    if (filters.length > TERMS_MAX) {
      context.addIssue({ code: 'custom', message: `At most ${TERMS_MAX} filters.` });
    }
    return filters;
  })
  .meta({
    description: `Only records that meet every condition: \`filter[path][op]=value\`. The path into \`data\` is ${PATH_FORM}; brackets in it are percent-encoded twice. Operators: ${filterOperators.join(', ')}. \`in\` takes a list with commas, \`exists\` takes true or false.`,
    type: 'object',
    additionalProperties: {
      type: 'object',
      properties: Object.fromEntries(filterOperators.map((op) => [op, { type: 'string' }])),
      additionalProperties: false,
    },
  });

function readFilter(name: string, value: string): Filter[] | string {
  const [, path, op] = /^filter\[(.*?)\](?:\[([^[\]]*)\])?$/s.exec(name) ?? [];
  if (path === undefined) {
    return 'A filter has the form filter[path][op]=value.';
  }
  const decoded = decodeBrackets(path);
  if (!isPath(decoded)) {
    return `The path of a filter is ${PATH_FORM}.`;
  }
  const conditions = op === undefined ? conditionsOfObject(value) : [[op, value]];
  if (conditions === null) {
    return `Give the operator, as in filter[${path}][eq]=…: one of ${filterOperators.join(', ')}.`;
  }
  const filters: Filter[] = [];
  for (const [operator, operand] of conditions) {
    const known = filterOperators.find((candidate) => candidate === operator);
    if (known === undefined) {
      return `There is no operator ${operator}; use one of ${filterOperators.join(', ')}.`;
    }
    if (known === 'exists' && operand !== 'true' && operand !== 'false') {
      return 'exists takes true or false.';
    }
    filters.push({ path: decoded, op: known, value: operand ?? '' });
  }
  return filters;
}

// A bracket within a path arrives as %5B or %5D even after the URL was decoded, since it was encoded twice.
function decodeBrackets(path: string): string {
  return path.replace(/%5B/gi, '[').replace(/%5D/gi, ']').replace(/%25/g, '%');
}

function conditionsOfObject(text: string): string[][] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return null;
  }
  const entries = Object.entries(value).map(([op, operand]) => [op, String(operand)]);
  return entries.length === 0 ? null : entries;
}

/** `sort=-price,key`. */
export const sortText = z
  .string()
  .transform((text, context): Sort[] => {
    const terms = text.split(',').map((term) => {
      const descending = term.startsWith('-');
      return { path: descending ? term.slice(1) : term, descending };
    });
    if (!terms.every(({ path }) => isPath(path))) {
      context.addIssue({
        code: 'custom',
        message: `Must be paths with commas between, each ${PATH_FORM}, with - before it to turn the order.`,
      });
    }
    if (new Set(terms.map(({ path }) => path)).size < terms.length || terms.length > SORT_TERMS_MAX) {
      context.addIssue({ code: 'custom', message: `Each path once, and at most ${SORT_TERMS_MAX}.` });
    }
    return terms;
  })
  .meta({
    description: `Order of the list, as in \`-price,key\`: at most ${SORT_TERMS_MAX} of \`key\`, or ${PATH_FORM}; \`-\` before one turns the order. By key if not given, and always by key at last.`,
  });

/** `fields=name,price`. */
export const fieldsText = z
  .string()
  .transform((text, context): string[] => {
    const paths = text.split(',');
    if (!paths.every(isPath) || paths.length > TERMS_MAX) {
      context.addIssue({
        code: 'custom',
        message: `Must be at most ${TERMS_MAX} paths with commas between, each ${PATH_FORM}.`,
      });
    }
    return [...new Set(paths)];
  })
  .meta({ description: `Only these members of \`data\`, as in \`name,price\`: each ${PATH_FORM}.` });

export const keyPrefixText = z
  .string()
  .min(1)
  .max(KEY_PREFIX_MAX)
  .meta({ description: 'Only records whose key starts with this.' });
