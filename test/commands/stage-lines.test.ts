import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { discardChangeset } from '../../src/commands/discard-changeset.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { type BatchBounds, type ReadLine, stageLines } from '../../src/commands/stage-lines.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { stageBatch } from '../../src/commands/steps/stage-batch.js';
import type { TagCondition } from '../../src/domain/precondition.js';
import { prepareLine, type StagedLine } from '../../src/domain/stage-line.js';
import { readLines } from '../../src/http/read-lines.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { getChangeset } from '../../src/queries/get-changeset.js';
import { listPending } from '../../src/queries/list-pending.js';
import { auditStore } from '../support/audit.js';
import { openChangeset } from '../support/changeset.js';
import { ann, createInstance, createInstances } from '../support/context.js';
import { size } from '../support/size.js';

const collection = 'things';

async function createThings(records: Record<string, JsonObject> = {}): Promise<Context> {
  const context = await createInstance();
  await putCollection(context, { collection, definition: {}, precondition: {}, actor: ann });
  const changes = Object.entries(records).map(([key, data]) => ({
    collection,
    key,
    operation: 'put' as const,
    data,
  }));
  if (changes.length > 0) await commitChanges(context, { changes, dryRun: false, actor: ann });
  return context;
}

async function* linesFrom(staged: Iterable<StagedLine>): AsyncGenerator<ReadLine> {
  let number = 0;
  for (const line of staged) {
    number += 1;
    yield { number, bytes: JSON.stringify(line).length, staged: line };
  }
}

const stage = (
  context: Context,
  changeset: string,
  staged: Iterable<StagedLine>,
  options: { ifMatch?: TagCondition | undefined; batch?: BatchBounds; name?: string } = {},
) =>
  stageLines(
    context,
    {
      changeset,
      lines: linesFrom(staged),
      ifMatch: options.ifMatch,
      actor: { name: options.name ?? 'ann', admin: false },
    },
    options.batch,
  );

const put = (key: string, data: JsonObject) => ({ collection, key, operation: 'put' as const, data });
const remove = (key: string): StagedLine => ({ collection, key, operation: 'delete' });
const merge = (key: string, patch: JsonObject): StagedLine => ({
  collection,
  key,
  operation: 'merge',
  patch,
});

async function membersOf(context: Context, changeset: string): Promise<Record<string, JsonObject | null>> {
  const { page } = await listPending(context, { changeset, limit: 1000 });
  return Object.fromEntries(page.items.map(({ key, data }) => [key, data]));
}

const editOf = async (context: Context, id: string) =>
  Number(/\.(\d+)~/.exec((await getChangeset(context, { id })).tag)?.[1]);

describe('stageLines', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const number = fc.integer({ min: 0, max: 2 });
  const line: fc.Arbitrary<StagedLine> = fc.oneof(
    { weight: 4, arbitrary: fc.tuple(key, number).map(([name, n]) => put(name, { n })) },
    { weight: 2, arbitrary: key.map(remove) },
    { weight: 2, arbitrary: fc.tuple(key, number).map(([name, m]) => merge(name, { m })) },
    {
      weight: 1,
      arbitrary: fc.tuple(key, number).map(([name, value]) => ({
        collection,
        key: name,
        operation: 'patch' as const,
        patch: [{ op: 'replace' as const, path: '/n', value }],
      })),
    },
  );

  /** What one line does to the live data and to what a changeset holds (null: a deletion). */
  function model(
    live: JsonObject | undefined,
    staged: Map<string, JsonObject | null>,
    wanted: StagedLine,
    isSeen: boolean,
  ): 'staged' | 'unchanged' | 'failed' {
    const held = staged.get(wanted.key);
    const base = held === undefined ? live : held;
    let next: JsonObject | null;
    if (wanted.operation === 'put') next = wanted.data;
    else if (wanted.operation === 'delete') {
      if (live === undefined) return held === null ? 'unchanged' : 'failed';
      next = null;
    } else {
      if (base === undefined || base === null) return 'failed';
      if (wanted.operation === 'merge') next = { ...base, ...wanted.patch };
      else {
        if (!('n' in base)) return 'failed';
        const [operation] = wanted.patch;
        next = { ...base, n: operation && 'value' in operation ? operation.value : null };
      }
    }
    const isSame = (other: JsonObject | null | undefined) =>
      other !== undefined && JSON.stringify(sorted(other)) === JSON.stringify(sorted(next));
    if (isSame(base)) return 'unchanged';
    const isWhole = wanted.operation === 'put' || wanted.operation === 'delete';
    if (held !== undefined && isWhole && !isSeen) return 'failed';
    staged.set(wanted.key, next);
    return 'staged';
  }
  const sorted = (data: JsonObject | null) => data && Object.entries(data).sort();

  test('does line by line what the model does, whatever the batches and calls', async () => {
    const context = await createThings();
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(
          key,
          number.map((n) => ({ n })),
        ),
        fc.array(
          fc.record({
            lines: fc.array(line, { maxLength: 12 }),
            isSeen: fc.boolean(),
            batch: fc.record({ lines: fc.integer({ min: 1, max: 5 }), bytes: fc.constantFrom(1, 60, 1000) }),
          }),
          { minLength: 1, maxLength: 4 },
        ),
        async (records, calls) => {
          runs += 1;
          const name = `things-${runs}`;
          await putCollection(context, { collection: name, definition: {}, precondition: {}, actor: ann });
          const changes = Object.entries(records).map(([own, data]) => ({
            ...put(own, data),
            collection: name,
          }));
          if (changes.length > 0) await commitChanges(context, { changes, dryRun: false, actor: ann });
          const changeset = await openChangeset(context);
          const staged = new Map<string, JsonObject | null>();
          for (const { lines, isSeen, batch } of calls) {
            const expected = { staged: 0, unchanged: 0, failed: 0 };
            const failing: number[] = [];
            for (const [index, wanted] of lines.entries()) {
              const outcome = model(records[wanted.key], staged, wanted, isSeen);
              expected[outcome] += 1;
              if (outcome === 'failed') failing.push(index + 1);
            }
            const before = await editOf(context, changeset);
            const { tag } = await getChangeset(context, { id: changeset });
            const ifMatch = isSeen ? { any: false as const, tags: [tag] } : undefined;
            const placed = lines.map((wanted) => ({ ...wanted, collection: name }));
            const { report } = await stage(context, changeset, placed, { ifMatch, batch });
            expect(report).toMatchObject(expected);
            expect(report.errors.map((error) => error.line)).toEqual(failing);
            expect(await membersOf(context, changeset)).toEqual(Object.fromEntries(staged));
            expect((await editOf(context, changeset)) > before).toBe(expected.staged > 0);
          }
        },
      ),
      { numRuns: size(20, 600) },
    );
    expect(await auditStore(context.db)).toEqual([]);
  });

  test('counts one edit of the changeset for each batch that changed it', async () => {
    const context = await createThings();
    const changeset = await openChangeset(context);
    const before = await editOf(context, changeset);
    const lines = Array.from({ length: 10 }, (_, index) => put(`k${index}`, {}));
    await stage(context, changeset, lines, { batch: { lines: 4, bytes: 1e6 } });
    expect(await editOf(context, changeset)).toBe(before + 3);
    await stage(context, changeset, lines);
    expect(await editOf(context, changeset)).toBe(before + 3);
  });

  test('leaves no record behind that nothing holds', async () => {
    const context = await createThings();
    const changeset = await openChangeset(context);
    const { report } = await stage(context, changeset, [merge('x', {}), remove('y'), put('z', {})]);
    expect(report).toMatchObject({ staged: 1, failed: 2 });
    expect(await context.db.query(`SELECT key FROM record`)).toEqual([{ key: 'z' }]);
  });

  test('leaves no record behind of lines that did not fit into the transaction', async () => {
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
    const text = 'x'.repeat(900_000);
    const context = await createThings(Object.fromEntries(keys.map((name) => [name, { text }])));
    const changeset = await openChangeset(context);
    const lines = [...keys.map((name) => merge(name, { n: 1 })), put('new', {})];
    const { outcomes } = await stageBatch(
      context,
      { changeset, author: 'ann', seen: { type: 'unsaid' } },
      lines.map((line) => ({ bytes: 100, edit: prepareLine(line, context.limits) })),
    );
    expect(outcomes.length).toBeLessThan(keys.length);
    expect(await context.db.query(`SELECT key FROM record WHERE key = 'new'`)).toEqual([]);
  });

  test('names every author of a pending version once', async () => {
    const context = await createThings();
    const changeset = await openChangeset(context);
    for (const [name, n] of [
      ['ann', 1],
      ['ben', 2],
      ['ann', 3],
    ] as const) {
      await stage(context, changeset, [merge('a', { n }), put('b', { n })], { ifMatch: { any: true }, name });
    }
    const { page } = await listPending(context, { changeset, limit: 10 });
    expect(page.items.map(({ stagedBy }) => stagedBy)).toEqual([['ann', 'ben']]);
  });

  test('keeps how conflicts were resolved until the content is replaced', async () => {
    const context = await createThings();
    const changeset = await openChangeset(context);
    await stage(context, changeset, [put('a', { n: 1 }), put('b', { n: 1 })]);
    await context.db.query(`UPDATE version SET resolutions = '[{}]'`);
    const lines = [merge('a', { m: 1 }), merge('b', { m: 1 }), put('b', { n: 2 })];
    await stage(context, changeset, lines, { ifMatch: { any: true } });
    const rows = await context.db.query(`SELECT resolutions FROM version ORDER BY id`);
    expect(rows).toEqual([{ resolutions: [{}] }, { resolutions: null }]);
  });

  test('lists a thousand failures and counts them all, in the order of the lines', async () => {
    const context = await createThings();
    const changeset = await openChangeset(context);
    const lines = Array.from({ length: 1200 }, (_, index) => remove(`k${index}`));
    const { report } = await stage(context, changeset, lines);
    expect(report.failed).toBe(1200);
    expect(report.errors.map((error) => error.line)).toEqual(
      Array.from({ length: 1000 }, (_, index) => index + 1),
    );
  });

  test('stages what is large in smaller portions, patches of large records too', async () => {
    const text = 'x'.repeat(900_000);
    const keys = Array.from({ length: 12 }, (_, index) => `k${index}`);
    const context = await createThings(Object.fromEntries(keys.map((name) => [name, { text }])));
    const changeset = await openChangeset(context);
    const before = await editOf(context, changeset);
    const { report } = await stage(
      context,
      changeset,
      keys.map((name) => merge(name, { n: 1 })),
    );
    expect(report).toMatchObject({ staged: 12, failed: 0 });
    expect(await editOf(context, changeset)).toBeGreaterThan(before + 1);
  });
});

describe('somebody else meanwhile', () => {
  /** Lines between which something happens. */
  async function* around(first: StagedLine, meanwhile: () => Promise<unknown>, ...others: StagedLine[]) {
    yield* linesFrom([first]);
    await meanwhile();
    for await (const line of linesFrom(others)) yield { ...line, number: line.number + 1 };
  }
  const oneByOne = { lines: 1, bytes: 1e6 };

  test('edits the changeset: what was seen is outdated, and stays so', async () => {
    const context = await createThings();
    const changeset = await openChangeset(context);
    await stage(context, changeset, [put('a', { n: 1 }), put('b', { n: 1 }), put('c', { n: 1 })]);
    const { tag } = await getChangeset(context, { id: changeset });
    const staged = { operation: 'upsert' as const, data: { n: 7 } };
    const at = { collection, key: 'b', changeset };
    const lines = around(
      put('a', { n: 2 }),
      () => stagePending(context, { ...at, staged, precondition: { ifMatch: { any: true } }, actor: ann }),
      put('b', { n: 2 }),
      put('new', { n: 2 }),
      put('c', { n: 2 }),
      merge('c', { m: 2 }),
    );
    const ifMatch = { any: false as const, tags: [tag] };
    const { report } = await stageLines(context, { changeset, lines, ifMatch, actor: ann }, oneByOne);
    expect(report).toMatchObject({ staged: 3, failed: 2 });
    expect(report.errors.map(({ line, code }) => [line, code])).toEqual([
      [2, 'precondition-failed'],
      [4, 'precondition-failed'],
    ]);
    expect(await membersOf(context, changeset)).toEqual({
      a: { n: 2 },
      b: { n: 7 },
      c: { n: 1, m: 2 },
      new: { n: 2 },
    });
  });

  test('closes the changeset: the refusal tells how far it came', async () => {
    const context = await createThings();
    const changeset = await openChangeset(context);
    const precondition = { ifMatch: { any: true as const } };
    const lines = around(
      put('a', {}),
      () => discardChangeset(context, { id: changeset, precondition, actor: ann }),
      put('b', {}),
    );
    await expect(stageLines(context, { changeset, lines, actor: ann }, oneByOne)).rejects.toMatchObject({
      code: 'changeset-closed',
      options: { extensions: { state: 'discarded', staged: 1, unchanged: 0, failed: 0 } },
    });
  });

  test('stages the same records into the same and into another changeset: nothing is lost, nothing is stuck', async () => {
    const [one, two] = await createInstances(2);
    if (one === undefined || two === undefined) throw new Error('no instances');
    await putCollection(one, { collection, definition: {}, precondition: {}, actor: ann });
    const [shared, own] = [await openChangeset(one), await openChangeset(one)];
    const keys = Array.from({ length: 60 }, (_, index) => `k${index}`);
    const batch = { lines: 7, bytes: 1e6 };
    const ways: [Context, string, string[], string][] = [
      [one, shared, keys, 'x'],
      [two, shared, keys.toReversed(), 'y'],
      [two, own, keys.toSorted(() => 1), 'z'],
    ];
    for (let round = 1; round <= size(3, 30); round += 1) {
      const reports = await Promise.all(
        ways.map(([context, changeset, names, member]) =>
          stage(
            context,
            changeset,
            names.flatMap((name) => [put(name, { round: 0 }), merge(name, { [member]: round })]),
            { batch },
          ),
        ),
      );
      for (const { report } of reports) expect(report.staged + report.unchanged + report.failed).toBe(120);
    }
    const last = size(3, 30);
    const members = await membersOf(one, shared);
    expect(keys.map((name) => members[name])).toEqual(keys.map(() => ({ round: 0, x: last, y: last })));
    expect(Object.keys(await membersOf(two, own))).toHaveLength(60);
    expect(await auditStore(one.db)).toEqual([]);
  });
});

describe('memory', () => {
  test('of a stream of any length no more is asked for than is being staged', async () => {
    const context = await createThings();
    const changeset = await openChangeset(context);
    const count = size(10_000, 50_000);
    const filler = 'x'.repeat(200);
    let asked = 0;
    function* source(): Generator<Buffer> {
      for (let index = 0; index < count; index += 1) {
        const bytes = Buffer.from(`${JSON.stringify(put(`k${index}`, { filler }))}\n`);
        asked += bytes.length;
        yield bytes;
      }
    }
    const ahead: number[] = [];
    let staged = 0;
    const { pool } = context.db;
    pool.on('acquire', () => ahead.push(asked - staged));
    async function* counted(lines: AsyncIterable<ReadLine>): AsyncGenerator<ReadLine> {
      let taken = 0;
      for await (const line of lines) {
        yield line;
        taken += line.bytes;
        // All lines but the batch that is being collected have been staged by now.
        if (line.number % 500 === 0) staged = taken;
      }
    }
    const body = Readable.from(source(), { objectMode: false });
    const lines = counted(readLines(body, { maxBytes: 10_000, silenceMs: 60_000 }));
    const { report } = await stageLines(context, { changeset, lines, actor: ann });
    expect(report).toMatchObject({ staged: count, failed: 0 });
    expect(asked).toBeGreaterThan(count * 200);
    expect(ahead.length).toBeGreaterThan(count / 500);
    // Two batches of 500 lines, and what the stream keeps in its buffer.
    expect(Math.max(...ahead)).toBeLessThan(2 * 500 * 300 + 128 * 1024);
  });
});
