import { describe, expect, test } from 'vitest';
import { matchesWeakly, parseTagCondition } from '../../src/http/entity-tags.js';

describe('parseTagCondition', () => {
  test('reads * as any tag', () => {
    expect(parseTagCondition(' * ')).toEqual({ any: true });
  });

  test.each([
    ['"a"', ['"a"']],
    ['""', ['""']],
    ['"a", "b"', ['"a"', '"b"']],
    ['"a","b" , "c"', ['"a"', '"b"', '"c"']],
    ['"with,comma"', ['"with,comma"']],
    ['W/"a", "b"', ['W/"a"', '"b"']],
    [', "a",, "b",', ['"a"', '"b"']],
    ['"p12.3~5.1.valid"', ['"p12.3~5.1.valid"']],
  ])('reads the list %s', (text, tags) => {
    expect(parseTagCondition(text)).toEqual({ any: false, tags });
  });

  test.each(['', 'a', '"a', 'a"', '"a" "b"', '*, "a"', 'w/"a"', '"a b"', '"a\tb"', 'W/ "a"', ',', "'a'"])(
    'refuses %j, which is no list of tags',
    (text) => {
      expect(parseTagCondition(text)).toBeNull();
    },
  );

  test('reads a hostile list in linear time', () => {
    expect(parseTagCondition(`${'"a",'.repeat(4000)}x`)).toBeNull();
  });
});

describe('matchesWeakly', () => {
  test('takes a weak tag for its strong twin', () => {
    expect(matchesWeakly({ any: false, tags: ['W/"a"'] }, '"a"')).toBe(true);
  });

  test('takes * for any tag', () => {
    expect(matchesWeakly({ any: true }, '"a"')).toBe(true);
  });

  test('tells different tags apart', () => {
    expect(matchesWeakly({ any: false, tags: ['"a"', '"b"'] }, '"c"')).toBe(false);
  });
});
