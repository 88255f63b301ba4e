import { describe, expect, test } from 'vitest';
import { compileDefinition, DefinitionError } from '../../src/domain/definition/compile.js';
import type { Failure } from '../../src/domain/failure.js';
import type { JsonObject, JsonValue } from '../../src/lib/json-value.js';

function judge(schema: JsonObject, data: JsonObject): Failure[] {
  const compiled = compileDefinition({ schema });
  return compiled.judge({ data, current: null, key: 'k', operation: 'create' }).errors;
}

const brief = (failures: Failure[]) =>
  failures.map(({ pointer, code, message }) => `${pointer} ${code}: ${message}`);

function refusal(schema: JsonObject): string[] {
  try {
    compileDefinition({ schema });
    return [];
  } catch (error) {
    if (error instanceof DefinitionError) return error.failures.map(({ pointer }) => pointer);
    throw error;
  }
}

describe('failures name the place and say what is wrong', () => {
  test.each<[string, JsonObject, JsonValue, string]>([
    ['type', { type: 'string' }, 1, '/a type: must be a string, is a number'],
    ['types', { type: ['integer', 'null'] }, 'x', '/a type: must be one of an integer, null, is a string'],
    ['maximum', { maximum: 100 }, 250, '/a maximum: must be at most 100, is 250'],
    ['exclusiveMinimum', { exclusiveMinimum: 0 }, 0, '/a exclusiveMinimum: must be more than 0, is 0'],
    ['multipleOf', { multipleOf: 0.01 }, 1.005, '/a multipleOf: must be a multiple of 0.01, is 1.005'],
    ['maxLength', { maxLength: 1 }, '😀😀', '/a maxLength: must have at most 1 character, has 2'],
    ['pattern', { pattern: '^a+$' }, 'b', '/a pattern: must match the pattern "^a+$", is "b"'],
    ['format', { format: 'date' }, '2026-02-30', '/a format: must be of the format date, is "2026-02-30"'],
    ['enum', { enum: ['x', 2] }, 'y', '/a enum: must be one of "x", 2, is "y"'],
    ['const', { const: { x: 1 } }, { x: 2 }, '/a const: must be an object, is an object'],
    ['minItems', { minItems: 2 }, [1], '/a minItems: must have at least 2 items, has 1'],
    ['items', { prefixItems: [true], items: false }, [1, 2], '/a items: must have at most 1 item, has 2'],
    [
      'uniqueItems',
      { uniqueItems: true },
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      '/a uniqueItems: must not hold the same item twice',
    ],
    ['required', { required: ['b/c'] }, {}, '/a/b~1c required: is required'],
    ['inherited names', { required: ['toString'] }, {}, '/a/toString required: is required'],
    [
      'additionalProperties',
      { additionalProperties: false },
      { x: 1 },
      '/a/x additionalProperties: is not a known member',
    ],
    [
      'propertyNames',
      { propertyNames: { maxLength: 1 } },
      { xy: 1 },
      '/a/xy propertyNames: has a name that is not allowed',
    ],
    [
      'dependentRequired',
      { dependentRequired: { x: ['y'] } },
      { x: 1 },
      '/a/y dependentRequired: is required where "x" is present',
    ],
    // biome-ignore lint/suspicious/noThenProperty: the keyword is called so.
    ['then', { if: { minimum: 5 }, then: { maximum: 9 } }, 10, '/a maximum: must be at most 9, is 10'],
    ['not', { not: { type: 'null' } }, null, '/a not: must not match the schema in "not"'],
    ['false', { properties: { x: false } }, { x: 1 }, '/a/x false: must not be there'],
  ])('%s', (_, schema, value, expected) => {
    expect(brief(judge({ properties: { a: schema } }, { a: value }))).toEqual([expected]);
  });

  test('all of them at once', () => {
    const schema = { required: ['a', 'b'], properties: { c: { type: 'string' }, d: { minimum: 1 } } };
    expect(judge(schema, { c: 1, d: 0 }).map(({ pointer }) => pointer)).toEqual(['/a', '/b', '/c', '/d']);
  });
});

describe('values that trip over JavaScript', () => {
  test.each<[string, JsonObject, JsonValue]>([
    ['0.07 is a multiple of 0.01', { multipleOf: 0.01 }, 0.07],
    ['1e300 is a multiple of 1e-300', { multipleOf: 1e-300 }, 1e300],
    [
      'a member named constructor equals itself',
      { const: { constructor: { a: 1 } } },
      { constructor: { a: 1 } },
    ],
    ['a member named valueOf is data', { enum: [{ valueOf: 1 }] }, { valueOf: 1 }],
    ['an absent member named constructor is absent', { properties: { constructor: { type: 'string' } } }, {}],
    ['1.0 is an integer', { type: 'integer' }, 1.0],
    ['characters are code points', { maxLength: 1 }, '😀'],
  ])('%s', (_, schema, value) => {
    expect(judge({ properties: { a: schema } }, { a: value })).toEqual([]);
  });

  test.each<[string, JsonObject, JsonValue]>([
    ['0.075 is no multiple of 0.01', { multipleOf: 0.01 }, 0.075],
    ['a member named valueOf can differ', { enum: [{ valueOf: 1 }] }, { valueOf: 2 }],
    ['1 is not "1"', { enum: ['1', { a: 1 }] }, 1],
    [
      'two equal objects in another order are no unique items',
      { uniqueItems: true },
      [
        { a: [1], b: 1 },
        { b: 1, a: [1] },
      ],
    ],
  ])('%s', (_, schema, value) => {
    expect(judge({ properties: { a: schema } }, { a: value })).toHaveLength(1);
  });
});

test('every pattern is its own, whatever stands beside it', () => {
  const schema = { properties: { a: { pattern: '^a$' }, b: { pattern: '^b$' }, c: { pattern: '^a$' } } };
  expect(judge(schema, { a: 'a', b: 'b', c: 'a' })).toEqual([]);
  expect(judge(schema, { a: 'b', b: 'a', c: 'b' }).map(({ pointer }) => pointer)).toEqual(['/a', '/b', '/c']);
});

test('references work by name and recursively, with siblings, and through any member name', () => {
  const schema = {
    $ref: '#/$defs/node',
    $defs: {
      node: {
        properties: {
          next: { $ref: '#/$defs/node' },
          odd: { $ref: '#/$defs/a%20~1%25%22%C3%A9', minimum: 5 },
        },
        additionalProperties: false,
      },
      'a /%"é': { type: 'number' },
    },
  };
  expect(judge(schema, { next: { next: { odd: 7 } } })).toEqual([]);
  expect(brief(judge(schema, { next: { next: { odd: 4, x: 1 } } }))).toEqual([
    '/next/next/x additionalProperties: is not a known member',
    '/next/next/odd minimum: must be at least 5, is 4',
  ]);
});

test('members that no branch has looked at are found', () => {
  const schema = { allOf: [{ properties: { a: true } }], unevaluatedProperties: false };
  expect(brief(judge(schema, { a: 1, b: 2 }))).toEqual(['/b unevaluatedProperties: is not a known member']);
});

describe('what a schema may not hold is refused, with its place', () => {
  test.each<[string, JsonObject, string[]]>([
    ['an unknown keyword', { properties: { a: { maxlength: 3 } } }, ['/schema/properties/a/maxlength']],
    ['$id', { $id: 'x' }, ['/schema/$id']],
    ['$async', { properties: { a: { $async: true } } }, ['/schema/properties/a/$async']],
    ['$dynamicRef', { $dynamicRef: '#x' }, ['/schema/$dynamicRef']],
    ['$anchor', { $defs: { a: { $anchor: 'x' } } }, ['/schema/$defs/a/$anchor']],
    ['another dialect', { $schema: 'http://json-schema.org/draft-07/schema#' }, ['/schema/$schema']],
    ['a remote reference', { $ref: 'https://example.org/x' }, ['/schema/$ref']],
    ['a reference to no schema', { $ref: '#/default', default: { $async: true } }, ['/schema/$ref']],
    ['a reference to nothing', { items: { $ref: '#/$defs/x' } }, ['/schema/items/$ref']],
    ['look-ahead', { pattern: 'a(?=b)' }, ['/schema/pattern']],
    ['a back-reference', { patternProperties: { '(a)\\1': true } }, ['/schema/patternProperties/(a)\\1']],
    ['a named back-reference', { pattern: '(?<n>a)\\k<n>' }, ['/schema/pattern']],
    ['an unknown format', { format: 'iri' }, ['/schema/format']],
    ['an unknown type', { properties: { a: { type: 'strin' } } }, ['/schema/properties/a/type']],
    ['$data', { properties: { a: { maximum: { $data: '/b' } } } }, ['/schema/properties/a/maximum']],
    [
      'a loop',
      { $ref: '#/$defs/a', $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }] } } },
      ['/schema/$defs/a/anyOf/0/$ref'],
    ],
    ['a loop at the root', { allOf: [{ $ref: '#' }] }, ['/schema/allOf/0/$ref']],
  ])('%s', (_, schema, pointers) => {
    expect(refusal(schema)).toEqual(pointers);
  });

  test('all refusals come at once', () => {
    const pointers = refusal({
      $id: 'x',
      properties: { a: { pattern: '(', type: 'x' }, b: { format: 'y' } },
    });
    expect(pointers.sort()).toEqual([
      '/schema/$id',
      '/schema/properties/a/pattern',
      '/schema/properties/a/type',
      '/schema/properties/b/format',
    ]);
  });

  test('the dialect itself may be named', () => {
    expect(refusal({ $schema: 'https://json-schema.org/draft/2020-12/schema' })).toEqual([]);
  });
});
