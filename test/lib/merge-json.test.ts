import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffJson } from '../../src/lib/json-diff.js';
import { jsonEqual } from '../../src/lib/json-object.js';
import type { JsonValue } from '../../src/lib/json-value.js';
import { type Conflict, type MergeKeyOf, mergeJson, type Sides } from '../../src/lib/merge-json.js';
import type { Resolution } from '../../src/lib/resolution-tree.js';
import { size } from '../support/size.js';

type Value = JsonValue | undefined;
type Merger = typeof mergeJson;

const sidesOf = (base: Value, current: Value, pending: Value): Sides => ({ base, current, pending });
const byId: MergeKeyOf = (tokens) => (tokens.at(-1) === 'list' ? 'id' : null);
const at = (conflicts: Conflict[]) => conflicts.map(({ pointer }) => pointer).sort();
const same = (a: Value, b: Value) => (a === undefined || b === undefined ? a === b : jsonEqual(a, b));
const settleAll = (conflicts: Conflict[], resolution: Resolution) =>
  new Map(conflicts.map(({ pointer }) => [pointer, resolution]));

describe('objects are merged member by member', () => {
  test.each<[string, Value, Value, Value, Value]>([
    ['each side changed another member', { a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1, b: 2 }, { a: 2, b: 2 }],
    ['in depth', { x: { a: 1, b: 1 } }, { x: { a: 2, b: 1 } }, { x: { a: 1 } }, { x: { a: 2 } }],
    ['both changed alike', { a: [1] }, { a: [2] }, { a: [2] }, { a: [2] }],
    ['both deleted', { a: 1, b: 1 }, { b: 1 }, { b: 1 }, { b: 1 }],
    ['one deleted', { a: 1, b: 1 }, { b: 1 }, { a: 1, b: 2 }, { b: 2 }],
    ['both added', {}, { a: 1 }, { b: 1 }, { a: 1, b: 1 }],
    ['both added different objects', {}, { x: { a: 1 } }, { x: { b: 1 } }, { x: { a: 1, b: 1 } }],
    ['both created the whole', undefined, { a: 1 }, { b: 1 }, { a: 1, b: 1 }],
    ['both deleted the whole', { a: 1 }, undefined, undefined, undefined],
    ['one deleted what the other left alone', { a: 1 }, undefined, { a: 1 }, undefined],
    ['names that objects inherit', {}, { toString: 1 }, { constructor: 2 }, { toString: 1, constructor: 2 }],
    ['numbers are equal by value', { a: 0 }, { a: -0 }, { a: 1 }, { a: 1 }],
    ['an empty object is not a missing one', { a: {} }, { a: {} }, {}, {}],
  ])('%s', (_, base, current, pending, merged) => {
    const merge = mergeJson(sidesOf(base, current, pending));
    expect(merge).toEqual({ merged, conflicts: [], resolved: [] });
  });

  test('`__proto__` is a member like any other', () => {
    const { merged } = mergeJson(sidesOf({}, JSON.parse('{"__proto__":{"x":1}}'), { a: 1 }));
    expect(JSON.stringify(merged)).toBe('{"a":1,"__proto__":{"x":1}}');
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
  });
});

describe('a conflict is where both sides changed, each in its own way', () => {
  test.each<[string, Value, Value, Value, Conflict[]]>([
    ['two values', { a: 1 }, { a: 2 }, { a: 3 }, [{ pointer: '/a', base: 1, current: 2, pending: 3 }]],
    ['two additions', {}, { a: 2 }, { a: 3 }, [{ pointer: '/a', current: 2, pending: 3 }]],
    ['deleted and changed', { a: 1 }, {}, { a: 3 }, [{ pointer: '/a', base: 1, pending: 3 }]],
    ['changed and deleted', { a: 1 }, { a: 2 }, {}, [{ pointer: '/a', base: 1, current: 2 }]],
    [
      'the whole deleted',
      { a: 1 },
      undefined,
      { a: 2 },
      [{ pointer: '', base: { a: 1 }, pending: { a: 2 } }],
    ],
    ['arrays', { a: [] }, { a: [1] }, { a: [2] }, [{ pointer: '/a', base: [], current: [1], pending: [2] }]],
    [
      'an object where there was none',
      { a: 1 },
      { a: { x: 1 } },
      { a: { y: 1 } },
      [{ pointer: '/a', base: 1, current: { x: 1 }, pending: { y: 1 } }],
    ],
    ['null is a value', { a: null }, { a: 1 }, {}, [{ pointer: '/a', base: null, current: 1 }]],
    [
      'names are escaped',
      { 'a/b~': { '': 1 } },
      { 'a/b~': { '': 2 } },
      { 'a/b~': { '': 3 } },
      [{ pointer: '/a~1b~0/', base: 1, current: 2, pending: 3 }],
    ],
  ])('%s', (_, base, current, pending, conflicts) => {
    const merge = mergeJson(sidesOf(base, current, pending));
    expect(merge.conflicts).toEqual(conflicts);
    expect(merge.merged).toEqual(pending);
  });
});

describe('resolutions', () => {
  const sides = sidesOf({ a: 1, b: 1, c: 1, d: 1 }, { a: 2, b: 2, c: 2 }, { a: 3, b: 3, c: 3, d: 3 });

  test('settle their conflict and leave the others', () => {
    const resolutions = new Map<string, Resolution>([
      ['/a', 'pending'],
      ['/b', { value: [7] }],
      ['/d', 'current'],
    ]);
    const merge = mergeJson(sides, { resolutions });
    expect(merge.merged).toEqual({ a: 3, b: [7], c: 3 });
    expect(at(merge.conflicts)).toEqual(['/c']);
    expect(merge.resolved).toEqual([
      { pointer: '/a', resolution: 'pending', changed: false },
      { pointer: '/b', resolution: { value: [7] }, changed: true },
      { pointer: '/d', resolution: 'current', changed: true },
    ]);
  });

  test('of what is in no conflict, or no pointer, are not used', () => {
    const resolutions = new Map<string, Resolution>(
      ['', '/x', 'a', '/a/b', '/~2'].map((pointer) => [pointer, 'current']),
    );
    expect(mergeJson(sides, { resolutions }).resolved).toEqual([]);
  });
});

describe('arrays whose items have a key are merged item by item', () => {
  const list = (...items: [id: JsonValue, n?: number][]) => ({
    list: items.map(([id, n = 0]) => ({ id, n })),
  });
  const merge = (base: Value, current: Value, pending: Value) =>
    mergeJson(sidesOf(base, current, pending), { mergeKeyOf: byId });

  test.each<[string, Value, Value, Value, Value]>([
    ['changes', list(['a'], ['b']), list(['a', 1], ['b']), list(['a'], ['b', 2]), list(['a', 1], ['b', 2])],
    [
      'additions stand after what they follow',
      list(['a'], ['b']),
      list(['x'], ['a'], ['y'], ['z'], ['b']),
      list(['a'], ['b'], ['c']),
      list(['x'], ['a'], ['y'], ['z'], ['b'], ['c']),
    ],
    ['deletions', list(['a'], ['b'], ['c']), list(['b'], ['c']), list(['a'], ['b']), list(['b'])],
    [
      'an order that pending changed is kept',
      list(['a'], ['b'], ['c']),
      list(['a'], ['x'], ['b'], ['c']),
      list(['c'], ['b'], ['a']),
      list(['c'], ['b'], ['a'], ['x']),
    ],
    [
      'an order that only current changed is kept too',
      list(['a'], ['b']),
      list(['b'], ['a']),
      list(['a'], ['b'], ['c']),
      list(['b'], ['c'], ['a']),
    ],
    ['keys may be numbers', list([1], [2]), list([2]), list([1], [2], [3]), list([2], [3])],
  ])('%s', (_, base, current, pending, merged) => {
    expect(merge(base, current, pending)).toEqual({ merged, conflicts: [], resolved: [] });
  });

  test('the token of an item in a pointer is its key', () => {
    const base = list(['a/b'], ['c']);
    const { conflicts } = merge(base, list(['c'], ['a/b', 1]), list(['a/b', 2]));
    expect(at(conflicts)).toEqual(['/list/a~1b/n']);
    expect(merge(base, list(['a/b'], ['c', 1]), list(['a/b'])).conflicts).toEqual([
      { pointer: '/list/c', base: { id: 'c', n: 0 }, current: { id: 'c', n: 1 } },
    ]);
  });

  test('also within each other, asked for once by a place where `*` is any item', () => {
    const asked: string[] = [];
    const nested = (n: number, m: number) => ({
      list: [
        { id: 'a', list: [{ id: 1, n, m: 0 }] },
        { id: 'b', list: [{ id: 1, n: 0, m }] },
      ],
    });
    const merge = mergeJson(sidesOf(nested(0, 0), nested(1, 2), nested(3, 0)), {
      mergeKeyOf: (tokens) => {
        asked.push(tokens.join('/'));
        return byId(tokens);
      },
    });
    expect(at(merge.conflicts)).toEqual(['/list/a/list/1/n']);
    expect(merge.merged).toEqual(nested(3, 2));
    expect(asked).toEqual(['list', 'list/*/list']);
  });

  test.each<[string, JsonValue[]]>([
    ['without the key', [{ n: 1 }]],
    ['with the key of another', [{ id: 'a' }, { id: 'a', n: 1 }]],
    ['with a key that reads like another', [{ id: 1 }, { id: '1' }]],
    ['with a key that is no scalar', [{ id: [] }]],
    ['that is no object', [7]],
  ])('and as one value with an item %s', (_, items) => {
    expect(at(merge(list(['a']), list(['a', 1]), { list: items }).conflicts)).toEqual(['/list']);
  });
});

// What any merge of three states must obey.
const leaf = fc.constantFrom<JsonValue>(null, 0, 1, 'a', true);
const names = fc.constantFrom('a', 'b', 'list', '~/', '__proto__', 'toString');
const { value } = fc.letrec<{ value: JsonValue; items: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    leaf,
    tie('items'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc
      .array(fc.tuple(names, tie('value')), { maxLength: 4 })
      .map((members) =>
        JSON.parse(`{${members.map(([n, v]) => `${JSON.stringify(n)}:${JSON.stringify(v)}`)}}`),
      ),
  ),
  items: fc
    .uniqueArray(fc.tuple(fc.constantFrom('x', 'y', 'z', 1, true), leaf), {
      selector: ([id]) => String(id),
      maxLength: 5,
    })
    .map((pairs) => pairs.map(([id, n]) => ({ id, n }))),
}));
const whole = fc.option(value, { nil: undefined, freq: 8 });

/** A state and two that were made of it by small edits, so that changes, conflicts and agreement all happen. */
const triple = fc.tuple(whole, whole, whole, fc.nat()).map(([base, one, two, seed]) => {
  let state = seed;
  const roll = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 16) % 10;
  };
  return sidesOf(base, blend(base, one, roll), blend(base, two, roll));
});

function blend(from: Value, into: Value, roll: () => number): Value {
  if (from === undefined || into === undefined || typeof from !== 'object' || from === null) {
    return roll() < 5 ? from : into;
  }
  if (Array.isArray(from)) {
    const kept = from.filter(() => roll() < 8).map((item) => blend(item, 7, roll) as JsonValue);
    const added = Array.isArray(into) ? into.filter((item) => roll() < 3 && !hasId(kept, item)) : [];
    const all = roll() < 5 ? [...kept, ...added] : [...added, ...kept];
    return roll() < 2 ? all.reverse() : all;
  }
  const other: object = typeof into === 'object' && into !== null && !Array.isArray(into) ? into : {};
  const members = [...new Set([...Object.keys(from), ...Object.keys(other)])].flatMap((name) => {
    const was = Object.hasOwn(from, name) ? from[name] : undefined;
    const is = (Object.entries(other).find(([key]) => key === name)?.[1] as Value) ?? undefined;
    const next = blend(was, is, roll);
    return next === undefined ? [] : [`${JSON.stringify(name)}:${JSON.stringify(next)}`];
  });
  return JSON.parse(`{${members}}`);
}

const idOf = (item: JsonValue) => (item as { id?: JsonValue } | null)?.id;
const hasId = (items: JsonValue[], item: JsonValue) =>
  items.some((other) => String(idOf(other)) === String(idOf(item)));

/** Whether one of the pointers lies at, above or below `pointer`. */
const touches = (pointers: string[], pointer: string) =>
  pointers.some((other) => `${other}/`.startsWith(`${pointer}/`) || `${pointer}/`.startsWith(`${other}/`));

const laws: Record<string, (merge: Merger, sides: Sides, mergeKeyOf: MergeKeyOf) => boolean> = {
  'a change on one side wins': (merge, { base, pending }, mergeKeyOf) => {
    const [theirs, ours] = [sidesOf(base, pending, base), sidesOf(base, base, pending)].map((sides) =>
      merge(sides, { mergeKeyOf }),
    );
    return [theirs, ours].every((found) => found?.conflicts.length === 0 && same(found.merged, pending));
  },
  'the same change on both sides is no conflict': (merge, { base, pending }, mergeKeyOf) => {
    const { merged, conflicts } = merge(sidesOf(base, pending, pending), { mergeKeyOf });
    return conflicts.length === 0 && same(merged, pending);
  },
  'the places of conflicts do not depend on who is who': (merge, sides, mergeKeyOf) => {
    const { base, current, pending } = sides;
    const there = merge(sides, { mergeKeyOf }).conflicts;
    const back = merge(sidesOf(base, pending, current), { mergeKeyOf }).conflicts;
    return at(there).join() === at(back).join();
  },
  'resolving every conflict leaves none': (merge, sides, mergeKeyOf) => {
    const { conflicts } = merge(sides, { mergeKeyOf });
    return (['pending', 'current', { value: 7 }] as const).every((resolution) => {
      const settled = merge(sides, { mergeKeyOf, resolutions: settleAll(conflicts, resolution) });
      return settled.conflicts.length === 0 && settled.resolved.length === conflicts.length;
    });
  },
  'conflicts are only where both sides changed something': (merge, sides, mergeKeyOf) => {
    const theirs = diffJson(sides.base, sides.current).changes.map(({ pointer }) => pointer);
    const ours = diffJson(sides.base, sides.pending).changes.map(({ pointer }) => pointer);
    // The places of items are told by their keys, and by index in a diff.
    const places = at(merge(sides, { mergeKeyOf }).conflicts).map((pointer) =>
      mergeKeyOf === byId ? pointer.replace(/\/list\/.*$/, '/list') : pointer,
    );
    return places.every((pointer) => touches(theirs, pointer) && touches(ours, pointer));
  },
  'what is merged stays as it is when merged again': (merge, sides, mergeKeyOf) => {
    const { conflicts, merged } = merge(sides, { mergeKeyOf });
    const again = merge({ ...sides, pending: merged }, { mergeKeyOf });
    const onCurrent = merge(sidesOf(sides.current, sides.current, merged), { mergeKeyOf });
    return (conflicts.length > 0 || same(again.merged, merged)) && same(onCurrent.merged, merged);
  },
  'every change of a member without a conflict is in the outcome': (merge, sides, mergeKeyOf) => {
    const { conflicts, merged } = merge(sides, { mergeKeyOf });
    if (conflicts.length > 0 || mergeKeyOf === byId) return true;
    // Seen from either side, the outcome differs by the changes of the other.
    const fromCurrent = diffJson(sides.current, merged).changes.map(({ pointer }) => pointer);
    const ours = diffJson(sides.base, sides.pending).changes.map(({ pointer }) => pointer);
    const fromPending = diffJson(sides.pending, merged).changes.map(({ pointer }) => pointer);
    const theirs = diffJson(sides.base, sides.current).changes.map(({ pointer }) => pointer);
    return (
      fromCurrent.every((pointer) => touches(ours, pointer)) &&
      fromPending.every((pointer) => touches(theirs, pointer))
    );
  },
};

const breachOf = (merge: Merger, law: string, mergeKeyOf: MergeKeyOf, numRuns: number) =>
  fc.check(
    fc.property(triple, (sides) => laws[law]?.(merge, sides, mergeKeyOf) === true),
    { numRuns },
  );

describe('for any three states', () => {
  test.each(Object.keys(laws))('%s', (law) => {
    for (const mergeKeyOf of [() => null, byId]) {
      const found = breachOf(mergeJson, law, mergeKeyOf, size(1_000, 20_000));
      if (found.failed) throw new Error(`seed ${found.seed}: ${JSON.stringify(found.counterexample)}`);
    }
  });

  test('some have conflicts and some have none, or the laws would say nothing', () => {
    const counts = fc
      .sample(triple, 500)
      .map((sides) => mergeJson(sides, { mergeKeyOf: byId }).conflicts.length);
    expect(counts.filter((count) => count > 0).length).toBeGreaterThan(50);
    expect(counts.filter((count) => count === 0).length).toBeGreaterThan(50);
  });

  test.each<[string, string, Merger]>([
    [
      'lets a deletion win over a change',
      'the places of conflicts do not depend on who is who',
      (sides, options) => {
        const merge = mergeJson(sides, options);
        return { ...merge, conflicts: merge.conflicts.filter((conflict) => 'current' in conflict) };
      },
    ],
    [
      'lets pending win',
      'a change on one side wins',
      (sides) => ({ merged: sides.pending, conflicts: [], resolved: [] }),
    ],
    [
      'does not look at the base',
      'conflicts are only where both sides changed something',
      (sides, options) => mergeJson({ ...sides, base: undefined }, options),
    ],
    [
      'forgets a resolution',
      'resolving every conflict leaves none',
      (sides, options) =>
        mergeJson(sides, { ...options, resolutions: new Map([...(options?.resolutions ?? [])].slice(1)) }),
    ],
  ])('negative control: a merge that %s is found out', (_, law, broken) => {
    expect(breachOf(broken, law, () => null, 1_000).failed).toBe(true);
  });
});

test('a wide and deep record with conflicts under one long name takes no time that grows with their product', () => {
  const long = 'n'.repeat(200_000);
  const members = (n: number) => Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`m${i}`, n]));
  const sides = sidesOf({ [long]: members(0) }, { [long]: members(1) }, { [long]: members(2) });
  // Written out, the pointers alone would have four gigabytes.
  expect(mergeJson(sides, { resolutions: new Map([['/x', 'pending']]) }).conflicts).toHaveLength(20_000);
});
