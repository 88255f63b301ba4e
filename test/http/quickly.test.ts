import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readHeaders } from '../../src/http/schemas/headers.js';
import { collectionParams, recordParams } from '../../src/http/schemas/paths.js';
import { readQuickly } from '../../src/http/schemas/quickly.js';

const collection = fc.oneof(
  fc.constantFrom('products', 'a', 'a-b_c9', 'A', '9a', '', 'a b', 'a\n', 'a'.repeat(63), 'a'.repeat(64)),
  fc.string({ maxLength: 70 }),
);
const key = fc.oneof(
  fc.constantFrom(
    '.',
    '..',
    '...',
    '.a',
    '',
    ' ',
    'MIT',
    'a/b',
    'a\n',
    'é',
    '\ud800',
    'k'.repeat(255),
    'k'.repeat(256),
  ),
  fc.string({ maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
);
const tag = fc.oneof(
  fc.constantFrom(
    '*',
    '"a"',
    'W/"a"',
    '"a", "b"',
    '"a,b"',
    '"',
    '""',
    ' "a"',
    '"a" ',
    '"a b"',
    '"a\u0080"',
    'a',
  ),
  fc.string(),
  fc.string().map((text) => `"${text}"`),
);
const optional = (text: fc.Arbitrary<string>) => fc.option(text, { nil: undefined, freq: 2 });

test.each([
  ['a collection', collectionParams, fc.record({ collection })],
  ['a record', recordParams, fc.record({ collection, key })],
  [
    'the headers of a read',
    readHeaders,
    fc
      .record({
        'if-none-match': optional(tag),
        'if-match': optional(tag),
        'diptych-min-revision': optional(fc.string()),
      })
      .map((headers) => JSON.parse(JSON.stringify({ host: 'localhost', ...headers }))),
  ],
])('the short way for %s answers what the schema answers, or nothing', (_what, schema, values) => {
  let taken = 0;
  fc.assert(
    fc.property(values as fc.Arbitrary<Record<string, unknown>>, (value) => {
      const quick = readQuickly(schema, value);
      if (quick === undefined) return;
      taken += 1;
      expect(schema.parse(value)).toEqual(quick);
    }),
    { numRuns: 2_000 },
  );
  // Without any this would prove nothing.
  expect(taken).toBeGreaterThan(20);
});
