import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExactJsonError, findUnstorable, parseExactJson } from '../../src/lib/exact-json.js';
import type { JsonValue } from '../../src/lib/json-value.js';

const options = { maxDepth: 64 };

function refusal(text: string, maxDepth = 64): ExactJsonError {
  try {
    parseExactJson(text, { maxDepth });
  } catch (error) {
    if (error instanceof ExactJsonError) return error;
    throw error;
  }
  throw new Error(`was not refused: ${text.slice(0, 80)}`);
}

const codesAt = (error: ExactJsonError) => error.failures.map(({ pointer, code }) => `${code} ${pointer}`);

describe('numbers', () => {
  test.each([
    '0',
    '-0',
    '0.0',
    '0e999999',
    '1.0',
    '0.1',
    '1e3',
    '1E+2',
    '1e-7',
    '-12.50',
    '9007199254740991',
  ])('%s survives a double and is kept', (literal) => {
    expect(parseExactJson(`[${literal}]`, options)).toEqual([Number(literal)]);
  });

  test.each([
    '9007199254740992',
    '1e22',
    '5e-324',
    '1.7976931348623157e308',
    '0.000000000000000000001',
    '100000000000000000000000',
    '123456789012345680000',
  ])('%s has more than 15 digits or an exponent and is kept all the same', (literal) => {
    expect(parseExactJson(`{"a":${literal}}`, options)).toEqual({ a: Number(literal) });
  });

  test.each([
    '12345678901234567890',
    '9007199254740993',
    '-9007199254740993',
    '1e400',
    '-1e400',
    '1e-400',
    '0.10000000000000000055',
    '3.14159265358979323846',
    '1e99999999999999999999',
    '5e-325',
  ])('%s does not survive a double and is refused', (literal) => {
    const error = refusal(`{"a":[true,${literal}]}`);
    expect(error.kind).toBe('unstorable');
    expect(codesAt(error)).toEqual(['number-not-exact /a/1']);
  });

  test('every double that JavaScript writes is accepted as written', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (double) => {
        expect(parseExactJson(JSON.stringify(double), options)).toBe(JSON.parse(JSON.stringify(double)));
      }),
    );
  });

  test('an integer is accepted exactly when it comes back as the same integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), (integer) => {
        const isAccepted = codesOrNone(`${integer}`).length === 0;
        // The shortest form stands for the decimal that it spells, not for the binary value behind it.
        expect(isAccepted).toBe(sameDecimal(`${integer}`, Number(integer)));
      }),
    );
  });
});

function codesOrNone(text: string): string[] {
  try {
    parseExactJson(text, options);
    return [];
  } catch (error) {
    return codesAt(error as ExactJsonError);
  }
}

function sameDecimal(integer: string, double: number): boolean {
  const [mantissa = '', exponent = '0'] = String(double).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return BigInt(whole + fraction.padEnd(Number(exponent), '0')) === BigInt(integer);
}

describe('strings and members', () => {
  test.each([
    ['"\\u0000"', 'nul-character '],
    ['{"a":"x\\u0000"}', 'nul-character /a'],
    ['{"a":"\\ud83d"}', 'unpaired-surrogate /a'],
    ['{"a":"\\uDE00\\uD83D"}', 'unpaired-surrogate /a'],
    ['["\ud83d"]', 'unpaired-surrogate /0'],
    ['{"o":{"\\u0000":1}}', 'nul-character /o'],
    ['{"\\ud83d":1}', 'unpaired-surrogate '],
    ['{"a":1,"a":1}', 'duplicate-member /a'],
    ['{"x":{"a":1,"\\u0061":2}}', 'duplicate-member /x/a'],
    ['[{"a":1},{"a":2,"b":1,"a":3}]', 'duplicate-member /1/a'],
  ])('%s is refused as unstorable', (text, expected) => {
    const error = refusal(text);
    expect(error.kind).toBe('unstorable');
    expect(codesAt(error)).toEqual([expected]);
  });

  test.each([
    ['{"__proto__":1}', '/__proto__'],
    ['{"a":[{"\\u005f_proto__":{}}]}', '/a/0/__proto__'],
    ['{"constructor":{"prototype":{}}}', '/constructor/prototype'],
    ['{"a":{"constructor":{"x":1,"prototyp\\u0065":null}}}', '/a/constructor/prototype'],
  ])('%s names a forbidden member', (text, pointer) => {
    const error = refusal(text);
    expect(error.kind).toBe('forbidden-member');
    expect(codesAt(error)).toEqual([`forbidden-member ${pointer}`]);
  });

  test.each([
    '{"constructor":"Foster","prototype":{"a":1}}',
    '{"constructor":[{"prototype":1}]}',
    '{"toString":1,"hasOwnProperty":2}',
    '["\\ud83d\\ude00 \\u00e9 \\\\u0000 \\\\ud83d"]',
    '["😀\\"}{:,1e400"]',
    ' \n\t\r{ "a" : [ ] , "b" : { } , "" : null } ',
  ])('%s is plain data and kept', (text) => {
    expect(parseExactJson(text, options)).toEqual(JSON.parse(text));
  });
});

describe('everything at once', () => {
  test('all failures are listed in the order of the text', () => {
    const error = refusal(
      '{"a":1e400,"b~/c":["\\u0000",{"d":1,"d":9007199254740993}],"constructor":{"prototype":1}}',
    );
    expect(error.kind).toBe('forbidden-member');
    expect(codesAt(error)).toEqual([
      'number-not-exact /a',
      'nul-character /b~0~1c/0',
      'duplicate-member /b~0~1c/1/d',
      'number-not-exact /b~0~1c/1/d',
      'forbidden-member /constructor/prototype',
    ]);
  });

  test('no more than 100 failures are listed', () => {
    expect(refusal(`[${'1e400,'.repeat(500)}1]`).failures).toHaveLength(100);
  });

  test('a huge member name is not repeated in every pointer', () => {
    const { failures } = refusal(`{"${'n'.repeat(100_000)}":[${'1e400,'.repeat(50)}1]}`);
    expect(failures).toHaveLength(50);
    expect(JSON.stringify(failures).length).toBeLessThan(20_000);
  });
});

describe('malformed text', () => {
  test.each([
    ['', 1, 1],
    [' ', 1, 2],
    ['{', 1, 2],
    ['[1,]', 1, 4],
    ['{"a":1,}', 1, 8],
    ['{"a" 1}', 1, 6],
    ["{'a':1}", 1, 2],
    ['{a:1}', 1, 2],
    ['[1 2]', 1, 4],
    ['[1}', 1, 3],
    ['{"a":1]', 1, 7],
    ['1 2', 1, 3],
    ['[01]', 1, 3],
    ['[.5]', 1, 2],
    ['[1.]', 1, 4],
    ['[1e]', 1, 4],
    ['[-]', 1, 3],
    ['[+1]', 1, 2],
    ['[NaN]', 1, 2],
    ['[undefined]', 1, 2],
    ['[tru]', 1, 2],
    ['["a\nb"]', 1, 4],
    ['["\\x"]', 1, 3],
    ['["\\u12"]', 1, 3],
    ['["abc', 1, 6],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3],
    ['[1]]', 1, 4],
    ['\ufeff[]', 1, 1],
  ])('%j is malformed, and the message says where', (text, line, column) => {
    const error = refusal(text);
    expect(error.kind).toBe('malformed');
    expect(error.failures).toHaveLength(1);
    expect(error.message).toContain(`line ${line}, column ${column}`);
  });

  test('the message does not echo the text', () => {
    expect(refusal(`{"password": secret${'x'.repeat(1000)}}`).message.length).toBeLessThan(80);
  });

  test('whatever is cut out of a JSON text is judged as JSON.parse judges it', () => {
    const cut = fc.tuple(
      fc.json(),
      fc.nat(),
      fc.nat(3),
      fc.constantFrom('', ',', '"', '}', '[', '1', '\\', ':', 'e'),
    );
    fc.assert(
      fc.property(cut, ([text, at, length, insert]) => {
        const start = at % (text.length + 1);
        const damaged = text.slice(0, start) + insert + text.slice(start + length);
        const kinds = kindOf(damaged);
        expect(kinds === 'malformed').toBe(!isNativeJson(damaged));
      }),
      { numRuns: 500 },
    );
  });
});

function kindOf(text: string): string {
  try {
    parseExactJson(text, options);
    return 'none';
  } catch (error) {
    return (error as ExactJsonError).kind;
  }
}

function isNativeJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('depth and size', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

  test('64 levels are kept and the 65th is refused', () => {
    expect(parseExactJson(nested(64), options)).toEqual(JSON.parse(nested(64)));
    expect(codesAt(refusal(nested(65)))).toEqual([`too-deep ${'/0'.repeat(64)}`]);
  });

  test('a hundred thousand levels of objects and arrays are refused, without a stack overflow', () => {
    expect(codesAt(refusal(nested(100_000)))).toEqual([`too-deep ${'/0'.repeat(64)}`]);
    expect(codesAt(refusal('{"a":'.repeat(100_000)))).toEqual([`too-deep ${'/a'.repeat(64)}`]);
    expect(refusal('{"a":'.repeat(60)).kind).toBe('malformed');
    expect(refusal('{"a":'.repeat(100_000) + 1 + '}'.repeat(100_000)).failures).toHaveLength(1);
  });

  test('a hundred thousand levels can be allowed', () => {
    expect(parseExactJson(nested(100_000), { maxDepth: 100_000 })).toHaveLength(1);
  });

  test('megabytes of members, or one string or one number of that size, are read', () => {
    const members = Array.from({ length: 100_000 }, (_, index) => `"member${index}":1`).join(',');
    expect(Object.keys(parseExactJson(`{${members}}`, options) as object)).toHaveLength(100_000);
    expect(codesAt(refusal(`{${members},"member7":2}`))).toEqual(['duplicate-member /member7']);
    expect(parseExactJson(`"${'x'.repeat(4_000_000)}"`, options)).toHaveLength(4_000_000);
    expect(codesAt(refusal('7'.repeat(4_000_000)))).toEqual(['number-not-exact ']);
  });
});

test('any JSON value is kept as it is', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      // Half of the generated strings may hold what cannot be stored; findUnstorable must agree about them.
      const expected = findUnstorable(JSON.parse(text), options).length === 0;
      expect(kindOf(text) === 'none').toBe(expected);
      if (expected) expect(parseExactJson(text, options)).toEqual(JSON.parse(text));
    }),
  );
});

describe('findUnstorable', () => {
  const ownProto: JsonValue = JSON.parse('{"a":{"__proto__":1}}');
  test.each<[string, JsonValue, string[]]>([
    ['a NUL', { a: ['\0'] }, ['nul-character /a/0']],
    ['half a surrogate pair', { a: '\ud83d' }, ['unpaired-surrogate /a']],
    ['a member name', { o: { '\0': 1 } }, ['nul-character /o']],
    ['an infinite number', [1, Number.POSITIVE_INFINITY], ['number-not-exact /1']],
    ['an own __proto__', ownProto, ['forbidden-member /a/__proto__']],
    ['constructor.prototype', { constructor: { prototype: 1 } }, ['forbidden-member /constructor/prototype']],
    ['nothing', { a: [1, 'é😀', null, true, { constructor: 1 }] }, []],
    ['several things, in order', { a: '\0', b: '\ud83d' }, ['nul-character /a', 'unpaired-surrogate /b']],
  ])('finds %s', (_, value, expected) => {
    expect(findUnstorable(value, options).map(({ pointer, code }) => `${code} ${pointer}`)).toEqual(expected);
  });

  test('finds what is too deep, at any depth, without a stack overflow', () => {
    let value: JsonValue = [];
    for (let depth = 1; depth < 100_000; depth += 1) value = [value];
    expect(findUnstorable(value, options).map(({ code }) => code)).toEqual(['too-deep']);
    expect(findUnstorable(value, { maxDepth: 100_000 })).toEqual([]);
  });
});
