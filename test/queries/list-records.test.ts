import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { putCollection } from '../../src/commands/put-collection.js';
import type { Filter, Sort } from '../../src/domain/list-query.js';
import type { JsonObject, JsonValue } from '../../src/lib/json-value.js';
import { listRecords } from '../../src/queries/list-records.js';
import { ann, createInstance } from '../support/context.js';
import { size } from '../support/size.js';

const collection = 'things';

async function commitAll(context: Context, records: Record<string, JsonObject | null>): Promise<number> {
  const changes = Object.entries(records).map(([key, data]) =>
    data === null
      ? { collection, key, operation: 'delete' as const }
      : { collection, key, operation: 'put' as const, data },
  );
  const { result } = await commitChanges(context, { changes, dryRun: false, actor: ann });
  return result.revision;
}

async function createThings(records: Record<string, JsonObject>): Promise<Context> {
  const context = await createInstance();
  await putCollection(context, { collection, definition: {}, precondition: {}, actor: ann });
  if (Object.keys(records).length > 0) await commitAll(context, records);
  return context;
}

async function readChain(
  context: Context,
  query: { filters?: Filter[]; sort?: Sort[]; limit: number; keyPrefix?: string },
): Promise<string[]> {
  const keys: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const { page } = await listRecords(context, {
      collection,
      filters: query.filters ?? [],
      sort: query.sort ?? [],
      keyPrefix: query.keyPrefix,
      limit: query.limit,
      cursor,
      at: { type: 'head' },
    });
    keys.push(...page.items.map((item) => item.key));
    if (page.next === null) return keys;
    cursor = page.next;
  }
}

const codePoints = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Types in their order, then values; what is missing comes last. */
function compareValues(a: JsonValue | undefined, b: JsonValue | undefined): number {
  const rank = (value: JsonValue | undefined) => {
    if (value === undefined) return 6;
    if (value === null) return 0;
    if (Array.isArray(value)) return 4;
    return { boolean: 1, number: 2, string: 3, object: 5 }[
      typeof value as 'boolean' | 'number' | 'string' | 'object'
    ];
  };
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (typeof a === 'string' && typeof b === 'string') return codePoints(a, b);
  if (typeof a === 'number' || typeof a === 'boolean') return Number(a) - Number(b);
  return 0;
}

const scalar = fc.oneof(
  fc.constantFrom('', 'a', 'B', 'b', '10', '9', 'ä', 'é', '日本', '👍', 'null', 'true'),
  fc.constantFrom(0, 1, -1, 9, 10, 1.5, 1e21, -0.25),
  fc.boolean(),
  fc.constant(null),
);
const value = fc.oneof(
  { weight: 8, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 2 }) },
  { weight: 1, arbitrary: fc.constant({ x: 1 }) },
);
const data = fc.record({ a: value, b: value }, { requiredKeys: [] });
const records = fc.dictionary(fc.stringMatching(/^[a-c/%äß👍]{1,3}$/u), data, { minKeys: 1, maxKeys: 12 });

describe('listRecords', () => {
  test('orders as the model does, over pages of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        records,
        fc.array(fc.record({ path: fc.constantFrom('a', 'b', '/a'), descending: fc.boolean() }), {
          maxLength: 2,
        }),
        fc.integer({ min: 1, max: 5 }),
        async (things, sort, limit) => {
          const context = await createThings(things as Record<string, JsonObject>);
          const expected = Object.entries(things)
            .sort(([keyA, a], [keyB, b]) => {
              for (const { path, descending } of sort) {
                const member = path.replace('/', '') as 'a' | 'b';
                const order = compareValues(
                  a[member] as JsonValue | undefined,
                  b[member] as JsonValue | undefined,
                );
                if (order !== 0) return descending ? -order : order;
              }
              return codePoints(keyA, keyB);
            })
            .map(([key]) => key);
          expect(await readChain(context, { sort, limit })).toEqual(expected);
        },
      ),
      { numRuns: size(12, 150) },
    );
  });

  const shelf: Record<string, JsonObject> = {
    n5: { price: 5, name: 'five', tags: ['x', '7'] },
    n7: { price: 7, name: 'seven', tags: ['y', 7] },
    s7: { price: '7', name: 'Seven', nested: { deep: { list: [1, 2] } } },
    nul: { price: null },
    none: { name: 'no price', 'a.b': 1 },
    yes: { price: true },
  };

  const conditions: [Filter['op'], string, string, string[]][] = [
    ['eq', 'price', '7', ['n7', 's7']],
    ['eq', 'price', 'null', ['nul']],
    ['eq', 'price', 'true', ['yes']],
    ['ne', 'price', '7', ['n5', 'none', 'nul', 'yes']],
    ['in', 'price', '5,true', ['n5', 'yes']],
    ['lt', 'price', '7', ['n5']],
    ['lte', 'price', '7', ['n5', 'n7', 's7']],
    ['gt', 'price', '5', ['n7', 's7']],
    ['gte', 'price', '7.0', ['n7']],
    ['prefix', 'name', 'se', ['n7']],
    ['contains', 'name', 'ive', ['n5']],
    ['contains', 'tags', '7', ['n5', 'n7']],
    ['exists', 'price', 'false', ['none']],
    ['exists', 'price', 'true', ['n5', 'n7', 'nul', 's7', 'yes']],
    ['eq', 'nested.deep.list.1', '2', ['s7']],
    ['eq', '/a.b', '1', ['none']],
    ['eq', 'a.b', '1', []],
  ];
  test('filters find what they say, by the type that the data has', async () => {
    const context = await createThings(shelf);
    for (const [op, path, value, expected] of conditions) {
      const found = await readChain(context, { filters: [{ path, op, value }], limit: 2 });
      expect(found, `${path} ${op} ${value}`).toEqual(expected);
    }
  });

  test('pages of one chain show one revision, whatever is committed between them', async () => {
    const context = await createThings({ a: { n: 1 }, b: { n: 1 }, c: { n: 1 }, d: { n: 1 } });
    const ask = (cursor?: string) =>
      listRecords(context, { collection, filters: [], sort: [], limit: 2, cursor, at: { type: 'head' } });
    const first = await ask();
    await commitAll(context, { a: { n: 2 }, c: { n: 2 }, d: null, e: { n: 2 } });
    const second = await ask(first.page.next ?? '');
    expect([...first.page.items, ...second.page.items].map(({ key, data: seen }) => [key, seen.n])).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
      ['d', 1],
    ]);
    expect(second).toMatchObject({ revision: first.revision, page: { next: null } });
    expect((await ask()).page.items.map(({ data: seen }) => seen.n)).toEqual([2, 1]);
  });

  test('a page that would be too large ends early and goes on', async () => {
    const text = 'x'.repeat(900_000);
    const many = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`k${index}`, { text: `${text}${index}` }]),
    );
    const context = await createThings(many);
    const { page } = await listRecords(context, {
      collection,
      filters: [],
      sort: [],
      limit: 1000,
      at: { type: 'head' },
    });
    expect(page.items.length).toBeLessThan(25);
    expect((await readChain(context, { limit: 1000 })).length).toBe(40);
  });

  test('a cursor of another query is refused', async () => {
    const context = await createThings({ a: {}, b: {} });
    const { page } = await listRecords(context, {
      collection,
      filters: [],
      sort: [],
      limit: 1,
      at: { type: 'head' },
    });
    const other = {
      collection,
      filters: [],
      sort: [{ path: 'x', descending: false }],
      limit: 1,
      cursor: page.next ?? '',
    };
    await expect(listRecords(context, { ...other, at: { type: 'head' } })).rejects.toMatchObject({
      code: 'cursor-invalid',
    });
  });
});
