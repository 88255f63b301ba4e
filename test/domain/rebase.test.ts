import { describe, expect, test } from 'vitest';
import { maxMergeKeyPlaces, rebaseStates } from '../../src/domain/rebase.js';
import { ConflictList, maxListedConflicts } from '../../src/domain/rebase-refusals.js';
import type { JsonObject } from '../../src/lib/json-value.js';

const options = { mergeKeyAt: () => 'id', pointer: '/resolutions' };

describe('merge keys', () => {
  const lists = (count: number, n: number, m: number): JsonObject =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`l${String(i).padStart(6, '0')}`, [{ id: 1, n, m }]]),
    );
  const rebased = (count: number, mergeKeyAt: (tokens: readonly string[]) => string | null = () => 'id') =>
    rebaseStates(
      { base: lists(count, 0, 0), current: lists(count, 1, 0), pending: lists(count, 0, 1) },
      new Map(),
      { ...options, mergeKeyAt },
    );

  test('hold for as many places as are looked up', () => {
    expect(rebased(maxMergeKeyPlaces)).toEqual({ data: lists(maxMergeKeyPlaces, 1, 1), resolved: [] });
  });

  test('are not looked up without end: what is beyond is one value', () => {
    let asked = 0;
    const outcome = rebased(20_000, () => {
      asked += 1;
      return 'id';
    });
    expect(asked).toBe(maxMergeKeyPlaces);
    expect('conflicts' in outcome && outcome.conflicts.length).toBe(20_000 - maxMergeKeyPlaces);
  });

  test('are looked up once for the items of a list, and only where both sides changed an array', () => {
    const nested = (n: number, m: number): JsonObject => ({
      same: [],
      list: Array.from({ length: 1_000 }, (_, id) => ({ id, list: [{ id: 1, n, m }] })),
    });
    const asked: string[] = [];
    const outcome = rebaseStates(
      { base: nested(0, 0), current: nested(1, 0), pending: nested(0, 1) },
      new Map(),
      {
        pointer: '',
        mergeKeyAt: (tokens) => {
          asked.push(tokens.join('/'));
          return 'id';
        },
      },
    );
    expect(outcome).toEqual({ data: nested(1, 1), resolved: [] });
    expect(asked).toEqual(['list', 'list/*/list']);
  });
});

describe('when the base is lost', () => {
  const rebased = (current: JsonObject | null, pending: JsonObject | null) =>
    rebaseStates({ base: 'lost', current, pending }, new Map(), options);

  test('equal states need no decision, in whatever way they came to be so', () => {
    expect(rebased({ a: 1 }, { a: 1 })).toEqual({ data: { a: 1 }, resolved: [] });
    expect(rebased(null, null)).toEqual({ data: null, resolved: [] });
  });

  test('others are one conflict about the whole, though their members could be merged', () => {
    expect(rebased({ a: 1 }, { b: 1 })).toEqual({
      conflicts: [{ pointer: '', current: { a: 1 }, pending: { b: 1 } }],
    });
    expect(rebased(null, { b: 1 })).toEqual({ conflicts: [{ pointer: '', pending: { b: 1 } }] });
  });
});

describe('what a refusal lists', () => {
  test('is bounded in number, and all are counted', () => {
    const list = new ConflictList();
    for (let record = 0; record < 3; record += 1) {
      list.add(
        Array.from({ length: 700 }, (_, n) => ({ pointer: `/${n}` })),
        { collection: 'c', key: `k${record}` },
      );
    }
    expect([list.count, list.listed.length]).toEqual([2_100, maxListedConflicts]);
    expect(list.listed.at(-1)).toEqual({ collection: 'c', key: 'k1', pointer: '/299' });
  });

  test('is bounded in size, but for one', () => {
    const large = 'x'.repeat(10 * 1024 * 1024);
    const list = new ConflictList();
    list.add([{ pointer: '/a', base: large }, { pointer: '/b', base: large }, { pointer: '/c' }]);
    list.add([{ pointer: '/d' }]);
    expect([list.count, list.listed.map(({ pointer }) => pointer)]).toEqual([4, ['/a']]);
    const one = new ConflictList();
    one.add([{ pointer: '/a', base: large + large }, { pointer: '/b' }]);
    expect(one.listed).toHaveLength(1);
  });
});

test('failures of resolutions come before conflicts, each at its place in the request', () => {
  const sides = { base: { a: 1 }, current: { a: 2 }, pending: { a: 3 } };
  const outcome = rebaseStates(sides, new Map([['/b/c', 'current']]), { ...options, pointer: '/r' });
  expect(outcome).toMatchObject({ failures: [{ pointer: '/r/~1b~1c', code: 'no-conflict' }] });
});
