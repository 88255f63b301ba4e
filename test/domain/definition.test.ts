import { describe, expect, test } from 'vitest';
import type { Definition, Rule } from '../../src/domain/collection.js';
import { compileDefinition, DefinitionError } from '../../src/domain/definition/compile.js';
import type { ChangeOperation } from '../../src/domain/record.js';
import type { JsonObject } from '../../src/lib/json-value.js';

const data: JsonObject = {
  price: 100,
  half: 2.5,
  name: 'chair',
  tags: ['a', 'b', 'c'],
  lines: [
    { quantity: 1, most: 2 },
    { quantity: 3, most: 4 },
  ],
  nothing: null,
  isNew: true,
  from: '2024-02-28T10:00:00Z',
  until: '2024-02-29T10:00:00Z',
};

interface Circumstances {
  data?: JsonObject | null;
  current?: JsonObject | null;
  operation?: ChangeOperation;
}

function judgeRule(rule: Partial<Rule>, circumstances: Circumstances = {}) {
  const compiled = compileDefinition({ rules: [{ id: 'r', assert: 'true', message: 'no', ...rule }] });
  return compiled.judge({ data, current: null, key: 'k', operation: 'create', ...circumstances });
}

const codeOf = (assert: string, circumstances?: Circumstances) =>
  judgeRule({ assert }, circumstances).errors.map(({ code }) => code)[0] ?? 'holds';

function refusals(definition: Definition): string[] {
  try {
    compileDefinition(definition);
    return [];
  } catch (error) {
    if (error instanceof DefinitionError) return error.failures.map(({ pointer }) => pointer);
    throw error;
  }
}

describe('rules', () => {
  test.each([
    'data.price <= 100',
    'data.price == 100 && data.price == 100.0',
    'data.price + data.half == 102.5',
    'data.price / 40 == 2.5',
    'data.price % 30 == 10',
    '2 * data.half == 5',
    'size(data.tags) > 2',
    'data.tags.size() * 1.5 == 4.5',
    'size(data.tags) + data.half == 5.5',
    'size(data.name) == 5',
    'current == null || data.price <= current.price * 1.5',
    'data.nothing == null && has(data.nothing)',
    '!has(data.missing)',
    'data.isNew',
    '"a" in data.tags && !("z" in data.tags)',
    '"price" in data',
    'key in ["k", "l"]',
    'operation == "create"',
    'data.tags[0] == "a" && data["price"] == 100',
    'data.lines.all(line, line.quantity < line.most)',
    'data.lines.exists(line, line.quantity == 3)',
    'data.lines.filter(line, line.quantity > 1).map(line, line.most) == [4.0]',
    'data.lines.all(line, data.tags.exists(tag, tag == "a"))',
    'data.missing == 1 || true',
    'cel.bind(double, data.price * 2, double == 200 && double > 100)',
    'data.name.startsWith("ch") && data.name.contains("hai")',
    'matches(data.name, "^[a-z]+$")',
    'timestamp(data.until) - timestamp(data.from) == duration("24h")',
    'timestamp(data.from).getFullYear() == 2024',
  ])('%s holds', (assert) => {
    expect(codeOf(assert)).toBe('holds');
  });

  test.each([
    'data.price < 100',
    'data.price == "100"',
    'data.tags == ["a"]',
    'false && data.missing',
    'matches(data.name, "^b")',
  ])('%s does not hold', (assert) => {
    expect(codeOf(assert)).toBe('rule');
  });

  test.each([
    ['data.missing > 1', 'missing'],
    ['data.tags[3] == "d"', 'index'],
    ['current.price > 1', 'price'],
    ['data.name > 5', 'overload'],
    ['data.name', 'true or false'],
    ['data.lines.all(line, line.price > 1)', 'price'],
    ['data.toString == "x"', 'toString'],
    ['data.__proto__ == "x"', '__proto__'],
  ])('%s cannot be judged, and says why', (assert, part) => {
    const { errors } = judgeRule({ assert });
    expect(errors).toEqual([expect.objectContaining({ code: 'rule-error', rule: 'r' })]);
    expect(errors[0]?.message).toContain(part);
  });

  test('a member named constructor is data', () => {
    const car = { constructor: 'Foster', prices: [{ constructor: 1 }] };
    const assert =
      'data.constructor == "Foster" && data.prices.all(p, p.constructor == 1) && size(data) == 2';
    expect(codeOf(assert, { data: car })).toBe('holds');
    expect(codeOf('data == current', { data: car, current: { ...car } })).toBe('holds');
  });

  test('a failure carries the rule, its message, its pointer and its severity', () => {
    const { errors, warnings } = judgeRule({ assert: 'false', pointer: '/price', severity: 'warning' });
    expect(errors).toEqual([]);
    expect(warnings).toEqual([
      { pointer: '/price', code: 'rule', rule: 'r', severity: 'warning', message: 'no' },
    ]);
  });

  test('a rule is judged only where its condition holds', () => {
    expect(judgeRule({ when: 'data.price > 100', assert: 'false' }).errors).toEqual([]);
    expect(judgeRule({ when: 'data.price == 100', assert: 'false' }).errors).toHaveLength(1);
  });

  test('a rule judges the transition', () => {
    const assert = 'current == null || data.price <= current.price * 1.5';
    expect(codeOf(assert, { current: { price: 60 }, operation: 'update' })).toBe('rule');
    expect(codeOf(assert, { current: { price: 67 }, operation: 'update' })).toBe('holds');
  });

  test('a deletion is judged only by rules that mention the operation, without data', () => {
    const deletion = { data: null, current: { locked: true }, operation: 'delete' as const };
    expect(codeOf('false', deletion)).toBe('holds');
    expect(codeOf('operation != "delete" || !current.locked', deletion)).toBe('rule');
    expect(codeOf('operation != "delete" || data == null', deletion)).toBe('holds');
    expect(
      compileDefinition({ schema: { required: ['a'] } }).judge({ key: 'k', ...deletion }).errors,
    ).toEqual([]);
  });

  test.each([
    ['data.', 'no syntax'],
    ['unknown == 1', 'an unknown variable'],
    ['5', 'a number'],
    ['"a" == 1', 'kinds that are never equal'],
    ['data.name.matches("a")', 'the native engine'],
    ['matches(data.name, data.name)', 'a pattern from the data'],
    ['matches(data.name, "a(?=b)")', 'look-ahead'],
    ['data.name.bytes() == 1', 'an unknown function'],
    ['duration(data.name) > duration("1s")', 'a duration from the data'],
    ['timestamp(data.from).getHours("Europe/Paris") > 1', 'a time zone'],
    ['b"abc" == b"abc"', 'bytes'],
    ['data.tags.all(1, true)', 'a macro without a variable'],
  ])('%s is refused: %s', (assert) => {
    expect(refusals({ rules: [{ id: 'r', assert, message: 'no' }] })).toEqual(['/rules/0/assert']);
  });

  test('all that is wrong with rules is said at once', () => {
    const rules: Rule[] = [
      { id: 'a', assert: '1', when: 'x', message: 'no' },
      { id: 'a', assert: 'true', message: '', pointer: 'price' },
    ];
    expect(refusals({ rules, schema: { foo: 1 } }).sort()).toEqual([
      '/rules/0/assert',
      '/rules/0/when',
      '/rules/1/id',
      '/rules/1/message',
      '/rules/1/pointer',
      '/schema/foo',
    ]);
  });
});

describe('unique', () => {
  const { uniqueValues } = compileDefinition({ unique: [['/sku'], ['/brand', '/model/0']] });

  test('values are canonical, and name their rule', () => {
    expect(uniqueValues({ sku: { b: 1, a: 2 }, brand: 'x', model: [1.0] })).toEqual([
      { constraint: '["/sku"]', pointer: '/sku', value: '[{"a":2,"b":1}]' },
      { constraint: '["/brand","/model/0"]', pointer: '/brand', value: '["x",1]' },
    ]);
  });

  test('a list takes no part where a value is missing or null', () => {
    expect(uniqueValues({ sku: null, brand: 'x', model: [] })).toEqual([]);
  });
});

describe('references', () => {
  const compiled = compileDefinition({
    references: [
      { pointer: '/owner', collection: 'people' },
      { pointer: '/parts', collection: 'parts', onDelete: 'restrict' },
    ],
  });

  test('keys are read one by one, with their own pointers', () => {
    expect(compiled.references({ owner: 'ann', parts: ['p1', 'p2'] })).toEqual([
      { pointer: '/owner', constraint: '/owner', collection: 'people', key: 'ann' },
      { pointer: '/parts/0', constraint: '/parts', collection: 'parts', key: 'p1' },
      { pointer: '/parts/1', constraint: '/parts', collection: 'parts', key: 'p2' },
    ]);
    expect(compiled.references({ owner: null })).toEqual([]);
  });

  test('what cannot be a key is a failure', () => {
    const { errors } = compiled.judge({
      data: { owner: 5, parts: ['p1', null, {}] },
      current: null,
      key: 'k',
      operation: 'create',
    });
    expect(errors.map(({ pointer, code }) => `${code} ${pointer}`)).toEqual([
      'reference-type /owner',
      'reference-type /parts/1',
      'reference-type /parts/2',
    ]);
  });
});

test.each<[string, Definition, string[]]>([
  ['no pointer', { unique: [['sku']] }, ['/unique/0/0']],
  ['an empty list', { unique: [[]] }, ['/unique/0']],
  [
    'the same list twice',
    {
      unique: [
        ['/a', '/b'],
        ['/b', '/a'],
      ],
    },
    ['/unique/1'],
  ],
  ['nine pointers', { unique: [Array.from({ length: 9 }, (_, at) => `/${at}`)] }, ['/unique/0']],
  ['seventeen lists', { unique: Array.from({ length: 17 }, (_, at) => [`/${at}`]) }, ['/unique']],
  [
    'no collection name',
    { references: [{ pointer: '/a', collection: 'A b' }] },
    ['/references/0/collection'],
  ],
  ['no index pointer', { indexes: ['price'] }, ['/indexes/0']],
  ['an index twice', { indexes: ['/a', '/a'] }, ['/indexes/1']],
  ['no version kept', { retention: { keepVersions: 0 } }, ['/retention/keepVersions']],
  ['half a day', { retention: { keepDays: 0.5 } }, ['/retention/keepDays']],
  ['no approvers', { approvals: { required: 0 } }, ['/approvals/required']],
])('%s is refused', (_, definition, pointers) => {
  expect(refusals(definition)).toEqual(pointers);
});

test('an empty definition allows anything', () => {
  const compiled = compileDefinition({});
  expect(compiled.judge({ data, current: null, key: 'k', operation: 'create' })).toEqual({
    errors: [],
    warnings: [],
    work: expect.any(Number),
  });
  expect(compiled.uniqueValues(data)).toEqual([]);
  expect(compiled.references(data)).toEqual([]);
});

test('the work of judging is counted alike each time, and grows with what there is to judge', () => {
  const compiled = compileDefinition({
    schema: { properties: { list: { items: { type: 'number' } } } },
    rules: [{ id: 'small', assert: 'data.list.all(n, n < 1000)', message: 'm' }],
  });
  const workOf = (length: number) =>
    compiled.judge({
      data: { list: Array.from({ length }, (_, at) => at) },
      current: null,
      key: 'k',
      operation: 'create',
    }).work;
  expect(workOf(100)).toBe(workOf(100));
  expect(workOf(1_000)).toBeGreaterThan(9 * workOf(100));
});

test('rules that are refused for their worst case are no work, since they do not run', () => {
  const compiled = compileDefinition({
    rules: [{ id: 'wide', assert: 'data.l.all(a, data.l.all(b, a < b))', message: 'm' }],
  });
  const l = Array.from({ length: 2_000 }, (_, at) => at);
  const { errors, work } = compiled.judge({ data: { l }, current: null, key: 'k', operation: 'create' });
  expect(errors).toMatchObject([{ code: 'rule-limit' }]);
  expect(work).toBeLessThan(100);
});
