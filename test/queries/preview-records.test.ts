import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { discardPending } from '../../src/commands/discard-pending.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import type { Sort } from '../../src/domain/list-query.js';
import { previewRecord } from '../../src/queries/preview-record.js';
import { previewRecords } from '../../src/queries/preview-records.js';
import { openChangeset } from '../support/changeset.js';
import { ann, createInstance } from '../support/context.js';
import { size } from '../support/size.js';

const collection = 'things';
const any = { precondition: { ifMatch: { any: true as const } }, actor: ann };

async function createThings(): Promise<Context> {
  const context = await createInstance();
  await putCollection(context, { collection, definition: {}, precondition: {}, actor: ann });
  return context;
}

interface Thing {
  data: { a: number };
  pending: boolean;
  version: number | null;
  message: string | null;
}

/** What is committed, how many versions each key has had, and what each changeset holds. */
interface Model {
  live: Map<string, Thing>;
  versions: Map<string, number>;
  staged: Map<string, Map<string, { a: number } | null>>;
}

type Step =
  | { type: 'commit'; key: string; a: number | null }
  | { type: 'stage'; changeset: 0 | 1; key: string; a: number | null }
  | { type: 'discard'; changeset: 0 | 1; key: string };

const key = fc.constantFrom('a', 'b', 'c/1', 'ä', '👍');
const value = fc.option(fc.integer({ min: 0, max: 3 }), { nil: null, freq: 3 });
const which = fc.constantFrom(0 as const, 1 as const);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('commit' as const), key, a: value }) },
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('stage' as const), changeset: which, key, a: value }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('discard' as const), changeset: which, key }) },
);

/** Takes one step in the service and in the model; what the service has to refuse is no step. */
async function take(context: Context, model: Model, ids: string[], wanted: Step): Promise<void> {
  const live = model.live.get(wanted.key);
  if (wanted.type === 'commit') {
    if (wanted.a === null ? live === undefined : live?.data.a === wanted.a) return;
    const change =
      wanted.a === null
        ? { collection, key: wanted.key, operation: 'delete' as const }
        : { collection, key: wanted.key, operation: 'put' as const, data: { a: wanted.a } };
    await commitChanges(context, { changes: [change], message: 'committed', dryRun: false, actor: ann });
    if (wanted.a === null) {
      model.live.delete(wanted.key);
      return;
    }
    const version = (model.versions.get(wanted.key) ?? 0) + 1;
    model.versions.set(wanted.key, version);
    model.live.set(wanted.key, { data: { a: wanted.a }, pending: false, version, message: 'committed' });
    return;
  }
  const changeset = ids[wanted.changeset] ?? '';
  const staged = model.staged.get(changeset) ?? new Map();
  model.staged.set(changeset, staged);
  const at = { collection, key: wanted.key, changeset };
  const precondition = staged.has(wanted.key) ? any.precondition : {};
  if (wanted.type === 'discard') {
    if (!staged.delete(wanted.key)) return;
    await discardPending(context, { ...at, precondition });
    return;
  }
  if (wanted.a === null && live === undefined) return;
  const content =
    wanted.a === null
      ? { operation: 'delete' as const }
      : { operation: 'upsert' as const, data: { a: wanted.a } };
  await stagePending(context, { ...at, staged: content, message: 'staged', precondition, actor: ann });
  staged.set(wanted.key, wanted.a === null ? null : { a: wanted.a });
}

function overlay(model: Model, changeset: string): Map<string, Thing> {
  const seen = new Map(model.live);
  for (const [member, data] of model.staged.get(changeset) ?? []) {
    if (data === null) seen.delete(member);
    else seen.set(member, { data, pending: true, version: null, message: 'staged' });
  }
  return seen;
}

const codePoints = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

async function readChain(
  context: Context,
  query: { changeset: string; sort: Sort[]; limit: number; above: number | null },
): Promise<[string, Thing][]> {
  const items: [string, Thing][] = [];
  for (let cursor: string | undefined; ; ) {
    const { page } = await previewRecords(context, {
      collection,
      changeset: query.changeset,
      filters: query.above === null ? [] : [{ path: 'a', op: 'gt', value: String(query.above) }],
      sort: query.sort,
      limit: query.limit,
      cursor,
      at: { type: 'head' },
    });
    for (const item of page.items) {
      const { data, pending, version, message } = item;
      expect(
        [item.revision, item.committedAt, item.committedBy].every((member) => (member === null) === pending),
      ).toBe(true);
      items.push([item.key, { data: data as Thing['data'], pending, version, message }]);
    }
    if (page.next === null) return items;
    cursor = page.next;
  }
}

describe('a preview', () => {
  test('shows the committed state with the changeset laid over it, as the model does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 25 }),
        fc.record({
          descending: fc.option(fc.boolean(), { nil: null }),
          limit: fc.integer({ min: 1, max: 3 }),
          above: fc.option(fc.integer({ min: -1, max: 3 }), { nil: null }),
        }),
        async (steps, { descending, limit, above }) => {
          const context = await createThings();
          const ids = [await openChangeset(context), await openChangeset(context)];
          const model: Model = { live: new Map(), versions: new Map(), staged: new Map() };
          for (const wanted of steps) await take(context, model, ids, wanted);
          for (const changeset of ids) {
            const expected = [...overlay(model, changeset)];
            const sort = descending === null ? [] : [{ path: 'a', descending }];
            const listed = expected
              .filter(([, { data }]) => above === null || data.a > above)
              .sort(([keyA, a], [keyB, b]) => {
                const order = descending === null ? 0 : a.data.a - b.data.a;
                return (descending ? -order : order) || codePoints(keyA, keyB);
              });
            expect(await readChain(context, { changeset, sort, limit, above })).toEqual(listed);
            for (const [one, { data, pending, version, message }] of expected) {
              const { record } = await previewRecord(context, { collection, key: one, changeset });
              expect(record).toMatchObject({ key: one, data, pending, version, message });
            }
          }
        },
      ),
      { numRuns: size(15, 300) },
    );
  });

  test('of a record that was never committed shows what is staged, and readers see nothing of it', async () => {
    const context = await createThings();
    const [mine, other] = [await openChangeset(context), await openChangeset(context)];
    const staged = { operation: 'upsert' as const, data: { a: 1 } };
    await stagePending(context, {
      collection,
      key: 'k',
      changeset: mine,
      staged,
      precondition: {},
      actor: ann,
    });
    const { record } = await previewRecord(context, { collection, key: 'k', changeset: mine });
    expect(record).toMatchObject({ data: { a: 1 }, pending: true, version: null, revision: null });
    await expect(previewRecord(context, { collection, key: 'k', changeset: other })).rejects.toMatchObject({
      code: 'record-not-found',
    });
  });

  test('ends a chain of pages once the changeset is edited, whatever is committed meanwhile', async () => {
    const context = await createThings();
    const changeset = await openChangeset(context);
    const put = (name: string, a: number) => ({
      collection,
      key: name,
      operation: 'put' as const,
      data: { a },
    });
    await commitChanges(context, { changes: [put('a', 1), put('b', 1)], dryRun: false, actor: ann });
    const ask = (cursor?: string) =>
      previewRecords(context, {
        collection,
        changeset,
        filters: [],
        sort: [],
        limit: 1,
        cursor,
        at: { type: 'head' },
      });
    const { page, revision } = await ask();
    await commitChanges(context, { changes: [put('b', 2)], dryRun: false, actor: ann });
    const second = await ask(page.next ?? '');
    expect(second).toMatchObject({ revision, page: { items: [{ key: 'b', data: { a: 1 } }] } });
    const staged = { operation: 'upsert' as const, data: { a: 3 } };
    await stagePending(context, { collection, key: 'c', changeset, staged, precondition: {}, actor: ann });
    await expect(ask(page.next ?? '')).rejects.toMatchObject({ code: 'cursor-expired' });
  });
});
