import { expect, test } from 'vitest';
import { buildIndexes } from '../../src/commands/build-indexes.js';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { type Filter, filterOperators, type Sort } from '../../src/domain/list-query.js';
import type { PointInTime } from '../../src/domain/point-in-time.js';
import { sortValueOf } from '../../src/domain/sort-value.js';
import type { JsonObject, JsonValue } from '../../src/lib/json-value.js';
import { listRecords } from '../../src/queries/list-records.js';
import { chooseAccess } from '../../src/store/list-access.js';
import { auditStore } from '../support/audit.js';
import { ann, createInstance } from '../support/context.js';
import { type Random, randomFrom } from '../support/random.js';
import { define } from '../support/retention.js';
import { size } from '../support/size.js';

const long = 'x'.repeat(249);
const values: JsonValue[] = [
  ...[null, true, false, 0, -0, 1, -1, 7, 7.5, -7.5, 10, 9, 1e21, -1e21, 5e-324, -5e-324, 1.7e308, 0.1, 0.3],
  ...[
    '',
    'a',
    'B',
    'b',
    'ab',
    '7',
    '10',
    '9',
    'null',
    'true',
    'ä',
    '日本',
    '👍',
    '\uffff',
    '\u{10ffff}',
    'a\u0001',
  ],
  ...[`${long}👍`, `${long}y`, `${long}ya`, `${long}yb`, `${long}${long}`, [], [7], ['a', 7], {}, { x: 1 }],
];
const keyCharacters = ['a', 'b', '/', '%', 'ä', '👍', '\uffff', '\u{10ffff}'];
const filterValues = [
  '7',
  '7.5',
  '-0',
  '0',
  '1e21',
  '',
  'a',
  'b',
  'null',
  'true',
  '9',
  '👍',
  'ä',
  '1.7e308',
  `${long}y`,
  `${long}👍`,
];

const keyOf = (random: Random) =>
  Array.from({ length: 1 + random.below(2) }, () => random.pick(keyCharacters)).join('');

function dataOf(random: Random): JsonObject {
  const members = ['a', 'b', 'c'].filter(() => random.chance(0.8));
  return Object.fromEntries(members.map((member) => [member, random.pick(values)]));
}

function filterOf(random: Random): Filter {
  const op = random.pick(filterOperators);
  const path = random.pick(['a', 'a', '/b', 'c']);
  if (op === 'exists') return { path, op, value: random.pick(['true', 'false']) };
  if (op === 'in') return { path, op, value: `${random.pick(filterValues)},${random.pick(filterValues)}` };
  return { path, op, value: random.pick(filterValues) };
}

const sortOf = (random: Random): Sort => ({
  path: random.pick(['a', 'a', '/a', 'b', 'c', 'key']),
  descending: random.chance(0.5),
});

interface Query {
  filters: Filter[];
  sort: Sort[];
  keyPrefix: string | undefined;
  limit: number;
}

const queryOf = (random: Random): Query => ({
  filters: Array.from({ length: random.below(3) }, () => filterOf(random)),
  sort: Array.from({ length: random.below(3) }, () => sortOf(random)),
  keyPrefix: random.chance(0.2) ? random.pick(keyCharacters) : undefined,
  limit: 1 + random.below(8),
});

/** A list to its end, with something happening between its pages. */
async function readAll(
  context: Context,
  collection: string,
  query: Query,
  at: PointInTime = { type: 'head' },
  between: () => Promise<void> = async () => {},
): Promise<JsonObject[]> {
  const items: JsonObject[] = [];
  for (let cursor: string | undefined; ; ) {
    const { page } = await listRecords(context, { collection, ...query, cursor, at });
    items.push(...page.items.map(({ key, version, revision, data }) => ({ key, version, revision, data })));
    if (page.next === null) return items;
    cursor = page.next;
    await between();
  }
}

/** The same commit of random changes in both collections, so that both have the same revisions. */
async function changeBoth(context: Context, random: Random, live: Set<string>, count: number): Promise<void> {
  const keys = new Set(Array.from({ length: count }, () => keyOf(random)));
  const changes = [...keys].flatMap((key) => {
    const isGone = live.has(key) && random.chance(0.3);
    if (isGone) live.delete(key);
    else live.add(key);
    const data = dataOf(random);
    return ['indexed', 'plain'].map((collection) =>
      isGone
        ? { collection, key, operation: 'delete' as const }
        : { collection, key, operation: 'put' as const, data },
    );
  });
  await commitChanges(context, { changes, dryRun: false, actor: ann });
}

async function buildAll(context: Context): Promise<void> {
  while (await buildIndexes(context, { batchRecords: 7 }));
}

test('lists driven by an index say what they would without it, now and of any revision', async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  const random = randomFrom(seed);
  const context = await createInstance();
  const live = new Set<string>();
  const change = () => changeBoth(context, random, live, 1 + random.below(12));
  await define(context, {}, 'plain');
  await define(context, random.chance(0.5) ? { indexes: ['/a'] } : {}, 'indexed');
  for (let n = 0; n < 8; n += 1) await change();
  await define(context, { indexes: ['/a', '/b'] }, 'indexed');
  // Built while commits go on, in batches much smaller than the collection.
  for (let n = 0; n < 4; n += 1) {
    await buildIndexes(context, { batchRecords: 3 });
    await change();
  }
  await buildAll(context);
  let driven = 0;
  for (let n = 0; n < size(25, 2_000); n += 1) {
    if (random.chance(0.3)) await change();
    const query = queryOf(random);
    const told = `seed ${seed}, query ${n}: ${JSON.stringify(query)}`;
    const collectionId = await idOf(context, 'indexed');
    const access = await chooseAccess(context.db, { ...query, collectionId, after: null });
    driven += access.by === 'index' ? 1 : 0;
    const expected = await readAll(context, 'plain', query);
    const between = () => (random.chance(0.5) ? change() : Promise.resolve());
    expect(await readAll(context, 'indexed', query, { type: 'head' }, between), told).toEqual(expected);
    const head =
      (await context.db.query<{ revision: number }>('SELECT revision FROM head'))[0]?.revision ?? 0;
    const past: PointInTime = { type: 'revision', revision: head - random.below(Math.min(head, 12)) };
    expect(await readAll(context, 'indexed', query, past), `${told} at ${past.revision}`).toEqual(
      await readAll(context, 'plain', query, past),
    );
  }
  expect(await auditStore(context.db)).toEqual([]);
  expect(driven).toBeGreaterThan(size(8, 500));
});

async function idOf(context: Context, collection: string): Promise<number> {
  const [row] = await context.db.query<{ id: number }>('SELECT id FROM collection WHERE name = $1', [
    collection,
  ]);
  return row?.id ?? 0;
}

test('the database and the service order values alike', async () => {
  const { db } = await createInstance();
  const scalars = values.flatMap((value) => (typeof value === 'object' && value !== null ? [] : [value]));
  const found = await db.query<{ value: Buffer }>(
    `SELECT sort_value(content::jsonb) AS value FROM unnest($1::text[]) WITH ORDINALITY AS given (content, place) ORDER BY place`,
    [scalars.map((value) => JSON.stringify(value))],
  );
  for (const [index, value] of scalars.entries())
    expect(found[index]?.value, JSON.stringify(value)).toEqual(sortValueOf(value));
});

test('a chain of pages shows its revision, however much has changed since', async () => {
  const context = await createInstance();
  await define(context, { indexes: ['/n'] }, 'indexed');
  const keys = Array.from({ length: 300 }, (_, index) => `k${String(index).padStart(3, '0')}`);
  const put = (n: number) =>
    commitChanges(context, {
      changes: keys.map((key) => ({ collection: 'indexed', key, operation: 'put' as const, data: { n } })),
      dryRun: false,
      actor: ann,
    });
  await put(1);
  for (const sort of [[], [{ path: 'n', descending: true }]]) {
    const query = { filters: [], sort, keyPrefix: undefined, limit: 100 };
    let n = 1;
    const seen = await readAll(context, 'indexed', query, { type: 'head' }, async () => {
      n += 1;
      await put(n);
    });
    expect(seen.map(({ key }) => key)).toEqual(keys);
    expect(new Set(seen.map(({ revision }) => revision)).size).toBe(1);
    await put(1);
  }
});
