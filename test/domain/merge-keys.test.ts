import { expect, test } from 'vitest';
import { compileDefinition, DefinitionError } from '../../src/domain/definition/compile.js';
import type { JsonObject } from '../../src/lib/json-value.js';

const keyed = (mergeKey: string, item: JsonObject = {}): JsonObject => ({
  type: 'array',
  mergeKey,
  items: item,
});

const at = (schema: JsonObject, ...tokens: (string | number)[]) =>
  compileDefinition({ schema }).mergeKeyAt(tokens);

test.each<[string, JsonObject, (string | number)[]]>([
  ['a member', { properties: { list: keyed('id') } }, ['list']],
  [
    'a member named like one that all objects have',
    { properties: { constructor: keyed('id') } },
    ['constructor'],
  ],
  ['a member of a member', { properties: { a: { properties: { b: keyed('id') } } } }, ['a', 'b']],
  ['a member that matches a pattern', { patternProperties: { '^l[0-9]+$': keyed('id') } }, ['l12']],
  ['any other member', { properties: { a: {} }, additionalProperties: keyed('id') }, ['b']],
  ['an item', { properties: { l: { items: keyed('id') } } }, ['l', 3]],
  ['an item by its name', { properties: { l: { items: keyed('id') } } }, ['l', 'some name']],
  ['an item of its own', { properties: { l: { prefixItems: [{}, keyed('id')] } } }, ['l', 1]],
  ['an item after those', { properties: { l: { prefixItems: [{}], items: keyed('id') } } }, ['l', 1]],
  [
    'a list in items of a list',
    { properties: { l: keyed('x', { properties: { m: keyed('id') } }) } },
    ['l', 'x1', 'm'],
  ],
  [
    'what a reference leads to',
    { $defs: { l: keyed('id') }, properties: { a: { $ref: '#/$defs/l' } } },
    ['a'],
  ],
  [
    'what all of several say',
    { allOf: [{ properties: { a: {} } }, { properties: { a: keyed('id') } }] },
    ['a'],
  ],
  [
    'a tree that refers to itself',
    {
      $defs: { node: { properties: { children: keyed('id', { $ref: '#/$defs/node' }) } } },
      $ref: '#/$defs/node',
    },
    ['children', 'n1', 'children', 'n2', 'children'],
  ],
])('the merge key of %s is found', (_, schema, tokens) => {
  expect(at(schema, ...tokens)).toBe('id');
});

test.each<[string, JsonObject, (string | number)[]]>([
  ['an array without one', { properties: { list: { type: 'array' } } }, ['list']],
  ['a member that the schema does not know', { properties: { list: keyed('id') } }, ['other']],
  ['a member named like one that all objects have', { properties: { list: keyed('id') } }, ['constructor']],
  [
    'a member, where additionalProperties is for others',
    { properties: { a: {} }, additionalProperties: keyed('id') },
    ['a'],
  ],
  ['an item of the array itself', { properties: { list: keyed('id') } }, ['list', 0]],
  ['an alternative, which may not apply', { anyOf: [{ properties: { a: keyed('id') } }] }, ['a']],
  ['a schema that allows nothing', { properties: { a: false } }, ['a', 'b']],
  ['no schema at all', {}, ['a']],
])('%s has none', (_, schema, tokens) => {
  expect(at(schema, ...tokens)).toBeNull();
});

test.each([0, '', null, ['id'], 'x'.repeat(256)])(
  'a merge key that is no name is refused: %j',
  (mergeKey) => {
    const compile = () => compileDefinition({ schema: { properties: { a: { type: 'array', mergeKey } } } });
    expect(compile).toThrow(DefinitionError);
    expect(compile).toThrow('must be the name of a member');
  },
);

test('a merge key changes nothing about what is valid', () => {
  const judge = compileDefinition({ schema: { properties: { a: keyed('id') } } }).judge;
  const codes = (a: unknown) =>
    judge({ data: { a } as JsonObject, current: null, key: 'k', operation: 'create' }).errors.map(
      ({ code }) => code,
    );
  expect(codes([{ id: 1 }, { id: 1 }, 'no object'])).toEqual([]);
  expect(codes('no array')).toEqual(['type']);
});
