import { describe, expect, test } from 'vitest';
import { actorText, idempotencyKeyText, integerText, recordKey } from '../../src/http/schemas/primitives.js';

describe('a record key', () => {
  test.each(['a', 'a/b', '%2F', ' ', 'ключ', '...', '😀'.repeat(255), '__proto__', 'constructor', '\u00a0'])(
    'may be %j',
    (key) => {
      expect(recordKey.parse(key)).toBe(key);
    },
  );

  test.each(['', '.', '..', 'a\nb', '\u0000', '\u007f', '\u0085', '\ud800', '😀'.repeat(256)])(
    'may not be %j',
    (key) => {
      expect(recordKey.safeParse(key).success).toBe(false);
    },
  );
});

describe('an integer in a query', () => {
  const limit = integerText(1, 1000, { description: '' });

  test.each([
    ['1', 1],
    ['1000', 1000],
  ])('%s is read', (text, value) => {
    expect(limit.parse(text)).toBe(value);
  });

  test.each([
    '',
    '0',
    '1001',
    '1e3',
    ' 1',
    '1 ',
    '+1',
    '-1',
    '0x10',
    '1.0',
    '01',
    '١',
    'NaN',
    '9'.repeat(40),
  ])('%j is refused', (text) => {
    expect(limit.safeParse(text).success).toBe(false);
  });

  test('beyond 2^53 - 1 is refused, since it would be rounded', () => {
    const any = integerText(1, Number.MAX_SAFE_INTEGER, { description: '' });
    expect(any.parse('9007199254740991')).toBe(9007199254740991);
    expect(any.safeParse('9007199254740992').success).toBe(false);
  });
});

describe('an idempotency key', () => {
  test.each([
    ['abc', 'abc'],
    ['"abc"', 'abc'],
    ['"a\\"b\\\\c"', 'a"b\\c'],
    ['0f8e2f6c-8a53', '0f8e2f6c-8a53'],
  ])('%s is %s', (text, key) => {
    expect(idempotencyKeyText.parse(text)).toBe(key);
  });

  test.each(['', '""', 'é', 'a'.repeat(256), 'a\tb'])('%j is refused', (text) => {
    expect(idempotencyKeyText.safeParse(text).success).toBe(false);
  });
});

describe('the name of an actor', () => {
  test('is read as UTF-8', () => {
    expect(actorText.parse(Buffer.from('Zoë 😀', 'utf8').toString('latin1'))).toBe('Zoë 😀');
  });

  test.each(['', '   ', 'a'.repeat(129), '\u00ff', 'a\u0007'])('may not be %j', (text) => {
    expect(actorText.safeParse(text).success).toBe(false);
  });
});

describe('an actor', () => {
  test('is one person, however the accents of the name are written', () => {
    const headerOf = (name: string) => Buffer.from(name).toString('latin1');
    expect(actorText.parse(headerOf('Rene\u0301'))).toBe('Ren\u00e9');
    expect(actorText.parse(headerOf('Ren\u00e9'))).toBe('Ren\u00e9');
  });
});
