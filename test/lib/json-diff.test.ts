import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffJson } from '../../src/lib/json-diff.js';
import { applyJsonPatch } from '../../src/lib/json-patch.js';
import type { JsonValue } from '../../src/lib/json-value.js';

describe('changes', () => {
  test('are the members and elements that differ, sorted', () => {
    const { changes, patch } = diffJson(
      { z: 1, same: { a: [1, 2] }, b: { 'x/y': 1, gone: null }, list: [1, 2, 3, 4] },
      { z: 2, same: { a: [1, 2] }, b: { 'x/y': '1', new: [] }, list: [1, 5] },
    );
    expect(changes).toEqual([
      { pointer: '/b/gone', before: null },
      { pointer: '/b/new', after: [] },
      { pointer: '/b/x~1y', before: 1, after: '1' },
      { pointer: '/list/1', before: 2, after: 5 },
      { pointer: '/list/3', before: 4 },
      { pointer: '/list/2', before: 3 },
      { pointer: '/z', before: 1, after: 2 },
    ]);
    expect(patch).toEqual([
      { op: 'remove', path: '/b/gone' },
      { op: 'add', path: '/b/new', value: [] },
      { op: 'replace', path: '/b/x~1y', value: '1' },
      { op: 'replace', path: '/list/1', value: 5 },
      { op: 'remove', path: '/list/3' },
      { op: 'remove', path: '/list/2' },
      { op: 'replace', path: '/z', value: 2 },
    ]);
  });

  test('an array that became an object is one change', () => {
    expect(diffJson({ a: [1] }, { a: { 0: 1 } }).changes).toEqual([
      { pointer: '/a', before: [1], after: { 0: 1 } },
    ]);
  });

  test('a document that appears or goes is one change at the root', () => {
    expect(diffJson(undefined, { a: 1 })).toEqual({
      changes: [{ pointer: '', after: { a: 1 } }],
      patch: [{ op: 'add', path: '', value: { a: 1 } }],
    });
    expect(diffJson({ a: 1 }, undefined)).toEqual({
      changes: [{ pointer: '', before: { a: 1 } }],
      patch: [{ op: 'remove', path: '' }],
    });
    expect(diffJson(undefined, undefined)).toEqual({ changes: [], patch: [] });
  });

  test('names of inherited members are plain members', () => {
    expect(diffJson({}, { toString: 1 }).changes).toEqual([{ pointer: '/toString', after: 1 }]);
  });
});

test('applying the patch to what was before gives what is after', () => {
  const leaf = fc.constantFrom<JsonValue>(null, 0, 1, 'a', true);
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(fc.constantFrom('a', 'b', '~', '/', '1'), tie('value')),
    ),
  }));
  fc.assert(
    fc.property(value, value, (before, after) => {
      const { patch, changes } = diffJson(before, after);
      expect(applyJsonPatch(before, patch, { maxBytes: 0 })).toEqual({ document: after });
      expect(changes.map(({ pointer }) => pointer)).toEqual(patch.map(({ path }) => path));
      if (changes.length === 0) expect(after).toEqual(before);
    }),
    { numRuns: 500 },
  );
});

test('equal values have no difference', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(diffJson(value as JsonValue, structuredClone(value) as JsonValue)).toEqual({
        changes: [],
        patch: [],
      });
    }),
  );
});
