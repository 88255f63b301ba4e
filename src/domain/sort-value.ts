import { type Filter, readingsOf } from './list-query.js';

// What lists order by, as bytes: types in their order, then values. The database says the same of what it stores
// (`sort_value` in the migrations).

/** So many characters of a text take part in the order of a list. */
export const sortedCharacters = 250;

const kind = { null: 0, boolean: 1, number: 2, text: 3, missing: 6, end: 7 } as const;

type Literal = string | number | boolean | null;

/** The sort value of a scalar. */
export function sortValueOf(value: Literal): Buffer {
  if (value === null) return Buffer.of(kind.null);
  if (typeof value === 'boolean') return Buffer.of(kind.boolean, Number(value));
  if (typeof value === 'string') return Buffer.concat([Buffer.of(kind.text), Buffer.from(cut(value))]);
  const bytes = Buffer.alloc(9);
  bytes.writeUInt8(kind.number);
  // -0 is stored as 0.
  bytes.writeDoubleBE(value + 0, 1);
  const isNegative = value < 0;
  for (let at = 1; at < 9; at += 1) bytes[at] = (bytes[at] ?? 0) ^ (isNegative ? 0xff : at === 1 ? 0x80 : 0);
  return bytes;
}

/** Sort values from `from` on, before `to`. */
export interface SortRange {
  from: Buffer;
  to: Buffer;
}

const before = (code: number): Buffer => Buffer.of(code);

/** Every value, and what is missing. */
export const everything: SortRange = { from: Buffer.alloc(0), to: before(kind.end) };

/** The least bytes that stand behind a value. */
export const next = (value: Buffer): Buffer => Buffer.concat([value, Buffer.of(0)]);

/**
 * Ranges that hold whatever a filter lets through, in order and apart from each other; null when it cannot be said.
 * Where texts were cut they hold more than that.
 */
export function rangesOf({ op, value }: Filter): SortRange[] | null {
  const { literal } = readingsOf(value);
  const numbers = (range: (number: Buffer) => SortRange) =>
    typeof literal === 'number' ? [range(sortValueOf(literal))] : [];
  const text = sortValueOf(value);
  const isWhole = [...value].length < sortedCharacters;
  switch (op) {
    case 'eq':
      return pointsOf([value]);
    case 'in':
      return pointsOf(value.split(','));
    case 'lt':
      return [
        ...numbers((to) => ({ from: before(kind.number), to })),
        { from: before(kind.text), to: isWhole ? text : next(text) },
      ];
    case 'lte':
      return [
        ...numbers((last) => ({ from: before(kind.number), to: next(last) })),
        { from: before(kind.text), to: next(text) },
      ];
    case 'gt':
      return [
        ...numbers((last) => ({ from: next(last), to: before(kind.text) })),
        { from: isWhole ? next(text) : text, to: before(kind.text + 1) },
      ];
    case 'gte':
      return [
        ...numbers((from) => ({ from, to: before(kind.text) })),
        { from: text, to: before(kind.text + 1) },
      ];
    case 'prefix':
      return [{ from: text, to: afterPrefix(text) }];
    case 'exists':
      return value === 'true'
        ? [{ from: everything.from, to: before(kind.missing) }]
        : [{ from: before(kind.missing), to: everything.to }];
    case 'ne':
    case 'contains':
      return null;
  }
}

/** Whether the ranges of a filter hold nothing else than what it lets through: none of its texts was cut. */
export const areExact = ({ value }: Filter): boolean => [...value].length < sortedCharacters;

/** Whether every range holds one value only. */
export const arePoints = (ranges: SortRange[]): boolean =>
  ranges.every(({ from, to }) => next(from).equals(to));

/** What is in both; each list is in order. */
export function intersect(some: SortRange[], others: SortRange[]): SortRange[] {
  return some.flatMap((one) =>
    others.flatMap((other) => {
      const from = Buffer.compare(one.from, other.from) < 0 ? other.from : one.from;
      const to = Buffer.compare(one.to, other.to) < 0 ? one.to : other.to;
      return Buffer.compare(from, to) < 0 ? [{ from, to }] : [];
    }),
  );
}

/** The text behind all texts that begin with this one, code point by code point; null when none is. */
export function textAfterPrefix(prefix: string): string | null {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    // Surrogates are no characters.
    const following = last === 0xd7ff ? 0xe000 : last + 1;
    if (following <= 0x10ffff) return String.fromCodePoint(...points, following);
  }
  return null;
}

/** No byte of UTF-8 is 255. */
function afterPrefix(value: Buffer): Buffer {
  const to = Buffer.from(value);
  to[to.length - 1] = (to.at(-1) ?? 0) + 1;
  return to;
}

function pointsOf(values: string[]): SortRange[] {
  const points = values
    .flatMap((value): Literal[] => {
      const { text, literal } = readingsOf(value);
      return literal === undefined ? [text] : [text, literal];
    })
    .map(sortValueOf)
    .sort(Buffer.compare);
  return points
    .filter((point, index) => index === 0 || !point.equals(points[index - 1] ?? point))
    .map((from) => ({ from, to: next(from) }));
}

/** The first characters, not code units. */
function cut(text: string): string {
  return text.length <= sortedCharacters ? text : [...text].slice(0, sortedCharacters).join('');
}
