import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { boundedPointer, formatPointer, parsePointer, readPointer } from '../../src/lib/json-pointer.js';
import type { JsonValue } from '../../src/lib/json-value.js';

// The document of RFC 6901, section 5.
const document: JsonValue = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8,
};

describe('RFC 6901', () => {
  test.each([
    ['', document],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ])('%j points at its value', (pointer, value) => {
    expect(readPointer(document, parsePointer(pointer) ?? ['no pointer'])).toEqual(value);
  });

  test.each(['foo', '#/foo', '/~', '/~2', '/a~', ' /a'])('%j is no pointer', (text) => {
    expect(parsePointer(text)).toBeNull();
  });

  test('~01 is ~1 and not a slash', () => {
    expect(parsePointer('/~01')).toEqual(['~1']);
  });

  test.each([
    '/foo/2',
    '/foo/-',
    '/foo/01',
    '/foo/-1',
    '/foo/1e0',
    '/foo/length',
    '/foo/ 0',
    '/nothing',
    '/foo/0/0',
  ])('%j points at nothing', (pointer) => {
    expect(readPointer(document, parsePointer(pointer) ?? [])).toBeUndefined();
  });

  test.each(['/toString', '/__proto__', '/constructor/prototype', '/foo/map'])(
    '%j does not reach what every object inherits',
    (pointer) => {
      expect(readPointer(document, parsePointer(pointer) ?? [])).toBeUndefined();
    },
  );
});

test('formatting and parsing are each other’s inverse', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('~', '/', '0', '1', 'a', 'é') })), (tokens) => {
      expect(parsePointer(formatPointer(tokens))).toEqual(tokens);
    }),
  );
});

test('a bounded pointer is a pointer to an ancestor, and short', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 0, maxLength: 900 }), { maxLength: 9 }), (tokens) => {
      const bounded = boundedPointer(tokens);
      const kept = parsePointer(bounded);
      expect(tokens.slice(0, kept?.length)).toEqual(kept);
      expect(bounded.length).toBeLessThan(4_000);
      if (formatPointer(tokens).length < 2_000) expect(bounded).toBe(formatPointer(tokens));
    }),
  );
});
