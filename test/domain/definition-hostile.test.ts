import { describe, expect, test } from 'vitest';
import type { Definition } from '../../src/domain/collection.js';
import { compileDefinition, DefinitionError } from '../../src/domain/definition/compile.js';
import type { JsonObject, JsonValue } from '../../src/lib/json-value.js';

// Each of these held up or ended a process, or would, without its bound. None is timed: what shows that a
// bound holds is the refusal, which counted work decides, alike on every machine.

function codes(definition: Definition, data: JsonObject): string[] {
  const compiled = compileDefinition(definition);
  const { errors } = compiled.judge({ data, current: null, key: 'k', operation: 'create' });
  return [...new Set(errors.map(({ code }) => code))];
}

function refusalCodes(definition: Definition): string[] {
  try {
    compileDefinition(definition);
    return ['compiled'];
  } catch (error) {
    if (error instanceof DefinitionError) return [...new Set(error.failures.map(({ code }) => code))];
    throw error;
  }
}

const times = <Item>(length: number, make: (index: number) => Item) =>
  Array.from({ length }, (_, at) => make(at));
const members = (length: number, value: JsonValue): JsonObject =>
  Object.fromEntries(times(length, (at) => [`k${at}`, value]));

function nest(depth: number, wrap: (inner: JsonObject) => JsonObject): JsonObject {
  let schema: JsonObject = {};
  for (let at = 0; at < depth; at += 1) schema = wrap(schema);
  return schema;
}

describe('schemas that are refused before anything is compiled', () => {
  test.each<[string, JsonObject]>([
    ['more than 64 KiB', { description: 'x'.repeat(70_000) }],
    ['more than 32 levels', nest(20, (inner) => ({ properties: { a: inner } }))],
    ['more than 2,000 schemas', { properties: members(2_001, true), allOf: times(2_001, () => ({})) }],
    ['1,900 alternatives, whose code nests', { oneOf: times(1_900, () => ({})) }],
    ['1,900 members inside "not"', { not: { properties: members(1_900, {}) } }],
    ['1,900 conditions inside "if"', { if: { allOf: times(1_900, () => ({})) } }],
  ])('%s', (_, schema) => {
    expect(refusalCodes({ schema })).toEqual(['schema-limit']);
  });

  test.each<[string, string[]]>([
    ['a repetition of a repetition', ['((a{30}){30}){30}']],
    ['a long body, often repeated', [`(${'abcdefghij'.repeat(80)}){999}`]],
    ['many patterns that are large together', times(60, (at) => `${at}a{900}`)],
    ['a pattern as long as a book', ['a'.repeat(2_000)]],
    ['more than a thousand of one', ['a{1001}']],
  ])('%s', (_, patterns) => {
    const schema = { allOf: patterns.map((pattern) => ({ pattern })) };
    expect(refusalCodes({ schema })).toEqual(['schema-invalid']);
  });
});

describe('schemas whose judging ends at its limit', () => {
  const doubling = Object.fromEntries(
    times(30, (at) => [`d${at}`, { allOf: times(2, () => ({ $ref: `#/$defs/d${at + 1}` })) }]),
  );
  test.each<[string, JsonObject, JsonValue]>([
    ['references that double thirty times', { $ref: '#/$defs/d0', $defs: { ...doubling, d30: {} } }, 1],
    ['the same, failing', { $ref: '#/$defs/d0', $defs: { ...doubling, d30: { type: 'null' } } }, 1],
    [
      '1,000 patterns over 3,000 members',
      { patternProperties: Object.fromEntries(times(400, (at) => [`^k${at}.*x$`, {}])) },
      members(3_000, 1),
    ],
    [
      '1,900 lengths of one long text',
      { allOf: times(1_900, (at) => ({ maxLength: 1_000_000 + at })) },
      'x'.repeat(500_000),
    ],
    ['an expression whose automaton explodes', { pattern: '(a|b)*a(a|b){300}$' }, 'ab'.repeat(5_000)],
    [
      '900 comparisons with a wide object',
      { allOf: times(900, () => ({ not: { const: { a: {} } } })) },
      { a: members(20_000, 1) },
    ],
    [
      '1,000 searches for equal items',
      { allOf: times(1_000, () => ({ uniqueItems: true })) },
      times(20_000, (at) => at),
    ],
    [
      '600 searches through a long list',
      { allOf: times(600, (at) => ({ contains: { const: -1 - at } })) },
      times(5_000, (at) => at),
    ],
    [
      '100,000 unknown members, looked at three times',
      { allOf: times(3, () => ({ additionalProperties: {} })) },
      members(100_000, 1),
    ],
  ])('%s', (_, schema, value) => {
    const definition: Definition = {
      schema: { properties: { v: { $ref: '#/$defs/v' } }, $defs: { v: schema, ...hoisted(schema) } },
    };
    expect(codes(definition, { v: value })).toContain('schema-limit');
  });

  // References are from the root, so definitions of a nested schema have to stand there.
  function hoisted(schema: JsonObject): JsonObject {
    const defs = schema.$defs as JsonObject | undefined;
    if (defs === undefined) return {};
    delete schema.$defs;
    return defs;
  }

  test('more than 1,000 failures are not collected', () => {
    const compiled = compileDefinition({ schema: { properties: { v: { items: { type: 'null' } } } } });
    const input = { current: null, key: 'k', operation: 'create' } as const;
    const { errors } = compiled.judge({ ...input, data: { v: times(50_000, () => 1) } });
    expect(errors.length).toBeLessThanOrEqual(1_002);
    expect(errors.at(-1)).toMatchObject({ code: 'schema-limit', pointer: '' });
    expect(errors[0]).toMatchObject({ code: 'type', pointer: '/v/0' });
  });

  test('failures of names that nobody sees do not make a record valid', () => {
    const names = { propertyNames: { allOf: times(1_500, () => ({ maxLength: 1 })) } };
    expect(codes({ schema: names }, { long: 1 })).not.toEqual([]);
  });

  test('the next record is judged with a full budget', () => {
    const compiled = compileDefinition({ schema: { properties: { v: { uniqueItems: true } } } });
    const judge = (v: JsonValue) =>
      compiled.judge({ data: { v }, current: null, key: 'k', operation: 'create' }).errors;
    expect(judge(times(300_000, (at) => at)).map(({ code }) => code)).toEqual(['schema-limit']);
    expect(judge([1, 2])).toEqual([]);
  });
});

describe('expressions that are refused', () => {
  test.each([
    ['three macros deep', 'data.l.all(a, data.l.all(b, data.l.all(c, true)))'],
    ['deep brackets', `${'('.repeat(500)}true${')'.repeat(500)}`],
    ['deep lists', `${'['.repeat(500)}${']'.repeat(500)} == []`],
    ['a long row of not', `${'!'.repeat(4_000)}true`],
    ['a long expression', times(2_000, () => 'true').join('&&')],
    ['an expression of very many parts', `${times(1_000, () => '1').join('+')} > 0`],
    ['a huge literal', `"${'a'.repeat(10_000)}" == key`],
    [
      'a text of digits as a duration',
      `duration("${'1'.repeat(3_000)}") > duration("1s") && duration(data.s) > duration("1s")`,
    ],
    ['the native engine', 'data.s.matches("(a+)+$")'],
    ['many large patterns', times(100, () => 'matches(key,"a{999}")').join('||')],
  ])('%s', (_, assert) => {
    expect(refusalCodes({ rules: [{ id: 'r', assert, message: 'no' }] })).toEqual(['rule-invalid']);
  });
});

describe('expressions whose record is refused', () => {
  const data: JsonObject = {
    l: times(100_000, (at) => at),
    m: members(20_000, { a: 1 }),
    o: times(5_000, (at) => ({ id: at, tags: ['x', 'y'] })),
    s: 'a'.repeat(500_000),
    p: `${'a'.repeat(100_000)}b`,
  };

  test.each([
    'data.l.all(x, data.l.all(y, x + y >= 0))',
    'data.m.all(k, data.m.all(j, k != j || true))',
    'data.o.all(x, data.o.all(y, x.id != y.id || x == y))',
    'data.l.all(x, !(x + 0.5 in data.l))',
    'data.l.all(x, data.l == data.l.map(y, y))',
    'data.o.all(x, data.o == data.o.filter(y, true))',
    'data.l.map(x, data.l).map(y, y.map(z, z)) != []',
    'data.l.all(x, data.missing) || true',
    'data.l.all(x, data.missing == 1 && data.missing == 2)',
    'data.l.all(x, size(data.s) > 0)',
    'data.l.all(x, data.s + data.s != "")',
    'data.l.all(x, data.s < data.s)',
    'data.l.all(x, data.s.contains("ab"))',
    'data.l.map(x, data.s.split("")).size() > 1',
    'data.l.map(x, "a").join(data.s).size() > 1',
    'data.s.contains(data.p)',
    'data.s.indexOf(data.p) > 1',
    'matches(data.s, "(a|b)*a(a|b){400}$")',
    'cel.bind(a, data.l + data.l, cel.bind(b, a + a, cel.bind(c, b + b, cel.bind(d, c + c, size(d + d) > 0))))',
    times(
      12,
      (at) =>
        `cel.bind(v${at}, ${at === 0 ? 'data.s' : `v${at - 1}`} + ${at === 0 ? 'data.s' : `v${at - 1}`}, `,
    ).join('') +
      'true' +
      ')'.repeat(12),
  ])('%s', (assert) => {
    expect(codes({ rules: [{ id: 'r', assert, message: 'no' }] }, data)).toEqual(['rule-limit']);
  });

  test.each([
    'data.o.all(o, o.id >= 0)',
    'data.o.filter(o, o.id > 1).map(o, o.id).exists(i, i == 5)',
    'matches(data.s, "^a+$")',
    'size(data.s) == 500000',
    'data.l == data.l && size(data.l) == 100000',
  ])('%s is ordinary work on a large record', (assert) => {
    expect(codes({ rules: [{ id: 'r', assert, message: 'no' }] }, data)).toEqual([]);
  });

  test('many rules share one budget', () => {
    const rules = times(90, (at) => ({ id: `r${at}`, assert: 'data.o.all(o, o.id >= 0)', message: 'no' }));
    expect(codes({ rules }, data)).toEqual(['rule-limit']);
  });

  test('the next record is judged with a full budget', () => {
    const compiled = compileDefinition({
      rules: [{ id: 'r', assert: 'data.l.all(x, x in data.l)', message: 'no' }],
    });
    const judge = (l: number[]) =>
      compiled
        .judge({ data: { l }, current: null, key: 'k', operation: 'create' })
        .errors.map(({ code }) => code);
    expect(judge(times(100_000, (at) => at))).toEqual(['rule-limit']);
    expect(judge([1, 2])).toEqual([]);
  });
});

describe('formats are decided in bounded time', () => {
  const evil: [string, string][] = [
    ['email', `${'a.'.repeat(100_000)}@`],
    ['email', `a@${'a-'.repeat(155)}`],
    ['uri', `http://${'a:'.repeat(1_000)}^`],
    ['uri', `a:${'%41'.repeat(100_000)}^`],
    ['uri-reference', `${'/'.repeat(2_000)}^`],
    ['hostname', 'a-'.repeat(126)],
    ['ipv6', ':'.repeat(45)],
    ['duration', `PT${'1H'.repeat(48)}`],
    ['json-pointer', `${'/~0'.repeat(600)}~`],
    ['date-time', `${'1'.repeat(100_000)}Z`],
  ];
  test.each(evil)('%s of %j', (format, text) => {
    const compiled = compileDefinition({ schema: { properties: { v: { items: { format } } } } });
    const data = { v: times(100, () => text) };
    const { errors } = compiled.judge({ data, current: null, key: 'k', operation: 'create' });
    expect(errors).toHaveLength(100);
    expect(errors.every(({ code }) => code === 'format')).toBe(true);
  });
});
