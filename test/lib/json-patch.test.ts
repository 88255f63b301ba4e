import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyJsonPatch, type JsonPatchOperation } from '../../src/lib/json-patch.js';
import type { JsonValue } from '../../src/lib/json-value.js';

type Operations = readonly JsonPatchOperation[];
const options = { maxBytes: 1_000_000 };
const apply = (document: JsonValue, operations: Operations) => applyJsonPatch(document, operations, options);

describe('operations that succeed', () => {
  test.each<[string, JsonValue, Operations, JsonValue]>([
    ['nothing', { a: 1 }, [], { a: 1 }],
    ['add a member', { a: 1 }, [{ op: 'add', path: '/b', value: [2] }], { a: 1, b: [2] }],
    ['add replaces a member', { a: null }, [{ op: 'add', path: '/a', value: 1 }], { a: 1 }],
    ['add the empty member', {}, [{ op: 'add', path: '/', value: 1 }], { '': 1 }],
    ['add into an array', [1, 3], [{ op: 'add', path: '/1', value: 2 }], [1, 2, 3]],
    ['add at the end by index', [1], [{ op: 'add', path: '/1', value: 2 }], [1, 2]],
    ['add at the end by dash', { a: [[1]] }, [{ op: 'add', path: '/a/0/-', value: [2] }], { a: [[1, [2]]] }],
    ['add the root', { a: 1 }, [{ op: 'add', path: '', value: [] }], []],
    ['replace the root', [1], [{ op: 'replace', path: '', value: { a: 1 } }], { a: 1 }],
    ['replace a member', { a: { b: 1 } }, [{ op: 'replace', path: '/a/b', value: null }], { a: { b: null } }],
    ['replace an element', [1, 2], [{ op: 'replace', path: '/1', value: [3] }], [1, [3]]],
    ['remove a null', { a: null, b: 1 }, [{ op: 'remove', path: '/a' }], { b: 1 }],
    [
      'remove elements',
      [1, 2, 3, 4],
      [
        { op: 'remove', path: '/1' },
        { op: 'remove', path: '/2' },
      ],
      [1, 3],
    ],
    ['move a member', { a: 1, b: {} }, [{ op: 'move', from: '/a', path: '/b/c' }], { b: { c: 1 } }],
    ['move an element', [1, 2, 3], [{ op: 'move', from: '/0', path: '/2' }], [2, 3, 1]],
    ['move onto itself', { a: 1 }, [{ op: 'move', from: '/a', path: '/a' }], { a: 1 }],
    ['move to the root', { a: { b: 1 } }, [{ op: 'move', from: '/a', path: '' }], { b: 1 }],
    ['copy', { a: { b: [1] } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: [1] }, c: { b: [1] } }],
    ['copy the root into itself', { a: 1 }, [{ op: 'copy', from: '', path: '/b' }], { a: 1, b: { a: 1 } }],
    [
      'test in any order',
      { a: { x: 1, y: [2] } },
      [{ op: 'test', path: '/a', value: { y: [2], x: 1 } }],
      { a: { x: 1, y: [2] } },
    ],
    ['test the root', [1], [{ op: 'test', path: '', value: [1] }], [1]],
    ['a number as a member name', { '1e0': 1 }, [{ op: 'test', path: '/1e0', value: 1 }], { '1e0': 1 }],
    [
      'escapes',
      { 'a/b': 1, 'm~n': 2 },
      [
        { op: 'remove', path: '/a~1b' },
        { op: 'replace', path: '/m~0n', value: 3 },
      ],
      { 'm~n': 3 },
    ],
    ['a member named constructor', {}, [{ op: 'add', path: '/constructor', value: 1 }], { constructor: 1 }],
  ])('%s', (_, document, operations, expected) => {
    expect(apply(document, operations)).toEqual({ document: expected });
  });

  test('a copy and its original change separately', () => {
    const operations: Operations = [
      { op: 'replace', path: '/a/b', value: 2 },
      { op: 'copy', from: '/a', path: '/c' },
      { op: 'replace', path: '/a/b', value: 3 },
      { op: 'add', path: '/c/d', value: 4 },
    ];
    expect(apply({ a: { b: 1 } }, operations)).toEqual({ document: { a: { b: 3 }, c: { b: 2, d: 4 } } });
  });
});

describe('operations that fail', () => {
  test.each<[string, JsonValue, Operations, 'test' | 'impossible', number]>([
    ['test of another value', { a: 1 }, [{ op: 'test', path: '/a', value: '1' }], 'test', 0],
    ['test of nothing', { a: 1 }, [{ op: 'test', path: '/b', value: null }], 'test', 0],
    ['test of an inherited member', {}, [{ op: 'test', path: '/toString', value: null }], 'test', 0],
    ['test of a bad index', ['a'], [{ op: 'test', path: '/00', value: 'a' }], 'test', 0],
    ['test of a part', { a: 1, b: 2 }, [{ op: 'test', path: '', value: { a: 1 } }], 'test', 0],
    [
      'the second of two',
      { a: 1 },
      [
        { op: 'add', path: '/b', value: 1 },
        { op: 'test', path: '/b', value: 2 },
      ],
      'test',
      1,
    ],
    ['remove of nothing', {}, [{ op: 'remove', path: '/a' }], 'impossible', 0],
    ['remove of the root', {}, [{ op: 'remove', path: '' }], 'impossible', 0],
    ['replace of nothing', {}, [{ op: 'replace', path: '/a', value: 1 }], 'impossible', 0],
    ['replace past the end', [1], [{ op: 'replace', path: '/1', value: 1 }], 'impossible', 0],
    ['add without a parent', {}, [{ op: 'add', path: '/a/b', value: 1 }], 'impossible', 0],
    ['add into a scalar', { a: 'x' }, [{ op: 'add', path: '/a/0', value: 1 }], 'impossible', 0],
    ['add past the end', [1], [{ op: 'add', path: '/2', value: 1 }], 'impossible', 0],
    ['add at a negative index', [1], [{ op: 'add', path: '/-1', value: 1 }], 'impossible', 0],
    ['add at an exponent', [1], [{ op: 'add', path: '/1e0', value: 1 }], 'impossible', 0],
    ['add a member to an array', [1], [{ op: 'add', path: '/length', value: 0 }], 'impossible', 0],
    ['remove at a leading zero', [1, 2], [{ op: 'remove', path: '/01' }], 'impossible', 0],
    ['copy from nothing', {}, [{ op: 'copy', from: '/a', path: '/b' }], 'impossible', 0],
    ['move from the dash', [1], [{ op: 'move', from: '/-', path: '/0' }], 'impossible', 0],
    ['move into itself', { a: { b: 1 } }, [{ op: 'move', from: '/a', path: '/a/b' }], 'impossible', 0],
    ['move of the root', { a: 1 }, [{ op: 'move', from: '', path: '/a' }], 'impossible', 0],
    ['no pointer', {}, [{ op: 'add', path: 'a', value: 1 }], 'impossible', 0],
    ['a bad escape', {}, [{ op: 'add', path: '/~2', value: 1 }], 'impossible', 0],
    ['__proto__', {}, [{ op: 'add', path: '/__proto__', value: {} }], 'impossible', 0],
    ['__proto__ on the way', {}, [{ op: 'add', path: '/__proto__/polluted', value: 1 }], 'impossible', 0],
    [
      'constructor.prototype',
      {},
      [{ op: 'add', path: '/constructor/prototype/x', value: 1 }],
      'impossible',
      0,
    ],
    ['copy from __proto__', {}, [{ op: 'copy', from: '/__proto__', path: '/a' }], 'impossible', 0],
    ['a missing value', [1], [{ op: 'add', path: '/-' } as unknown as JsonPatchOperation], 'impossible', 0],
    ['a missing from', [1], [{ op: 'copy', path: '/-' } as unknown as JsonPatchOperation], 'impossible', 0],
    [
      'an unknown operation',
      {},
      [{ op: 'spam', path: '/a' } as unknown as JsonPatchOperation],
      'impossible',
      0,
    ],
  ])('%s', (_, document, operations, failed, index) => {
    expect(apply(document, operations)).toMatchObject({ failed, index, message: expect.any(String) });
  });
});

test('the arguments are never changed, whether the patch succeeds or not', () => {
  const pointer = fc.constantFrom('', '/a', '/a/b', '/a/-', '/a/0', '/b', '/b/a', '/a/b/0');
  const operation = fc.oneof(
    fc.record({ op: fc.constantFrom('add', 'replace'), path: pointer, value: fc.jsonValue() }),
    fc.record({ op: fc.constant('remove'), path: pointer }),
    fc.record({ op: fc.constantFrom('move', 'copy'), path: pointer, from: pointer }),
  ) as fc.Arbitrary<JsonPatchOperation>;
  const document = fc.oneof<fc.Arbitrary<JsonValue>[]>(
    fc.constant({ a: { b: [1, { a: 2 }] }, b: { a: {} } }),
    fc.constant({ a: [{ b: 1 }, [2]], b: [] }),
  );
  fc.assert(
    fc.property(document, fc.array(operation, { maxLength: 12 }), (before, operations) => {
      const copy = JSON.stringify([before, operations]);
      apply(before, operations);
      expect(JSON.stringify([before, operations])).toBe(copy);
    }),
  );
});

describe('hostile patches', () => {
  test('doubling a document by copies ends at the limit', () => {
    const operations = Array.from({ length: 40 }, (): JsonPatchOperation[] => [
      { op: 'copy', from: '/a', path: '/b' },
      { op: 'move', from: '/b', path: '/a/-' },
    ]).flat();
    expect(apply({ a: ['x'.repeat(100)] }, operations)).toMatchObject({ failed: 'impossible' });
  });

  test('copying a chain into itself ends before the stack does', () => {
    const operations = Array.from(
      { length: 5_000 },
      (): JsonPatchOperation => ({ op: 'copy', from: '', path: '/a' }),
    );
    expect(applyJsonPatch({}, operations, { maxBytes: 1e9 })).toMatchObject({ failed: 'impossible' });
  });

  test('moving the elements of a wide array again and again ends at the limit', () => {
    const wide = Array.from({ length: 200_000 }, () => 0);
    const operations = Array.from(
      { length: 500 },
      (): JsonPatchOperation => ({ op: 'add', path: '/0', value: 1 }),
    );
    expect(apply(wide, operations)).toMatchObject({ failed: 'impossible', index: 249 });
  });
});
