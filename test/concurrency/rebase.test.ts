import { describe, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { commitChangeset } from '../../src/commands/commit-changeset.js';
import { commitPending } from '../../src/commands/commit-pending.js';
import type { Context } from '../../src/commands/context.js';
import { createChangeset } from '../../src/commands/create-changeset.js';
import { patchPending } from '../../src/commands/patch-pending.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { rebaseChangeset } from '../../src/commands/rebase-changeset.js';
import { rebasePending } from '../../src/commands/rebase-pending.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { mergeJson } from '../../src/lib/merge-json.js';
import { getPending } from '../../src/queries/get-pending.js';
import { getRecord } from '../../src/queries/get-record.js';
import { auditStore } from '../support/audit.js';
import { atOnce, codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { size } from '../support/size.js';

const at = { collection: 'pages', key: 'home' };
const rounds = size(10, 200);
const any = { ifMatch: { any: true as const } };

async function twoInstances(): Promise<[Context, Context]> {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  await putCollection(one, { collection: at.collection, definition: {}, precondition: {}, actor: ann });
  await commitChanges(one, {
    changes: [{ ...at, operation: 'put', data: edit('start') }],
    dryRun: false,
    actor: ann,
  });
  return [one, two];
}

/** Each edit adds a member of its own, so that a lost one is missed. */
const edit = (name: string) => ({ [name]: true });

const commitDirectly = (context: Context, name: string) =>
  commitChanges(context, {
    changes: [{ ...at, operation: 'merge', patch: edit(name) }],
    dryRun: false,
    actor: ann,
  });

const patch = (context: Context, name: string, changeset: string | null) =>
  patchPending(context, {
    ...at,
    changeset,
    patch: { type: 'merge', patch: { data: edit(name) } },
    precondition: {},
    actor: ann,
  });

const rebase = (context: Context, changeset: string | null) =>
  rebasePending(context, { ...at, changeset, resolutions: new Map(), precondition: {}, actor: ann });

const dataOf = async (context: Context) =>
  Object.keys((await getRecord(context, { ...at, at: { type: 'head' } })).record.data).sort();

/** What is refused in a race: the pending version is gone, or is outdated again. */
function refusalsOf(outcomes: PromiseSettledResult<unknown>[]): string[] {
  return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [codeOf(outcome.reason)] : []));
}

type Work = (context: Context) => Promise<unknown>;

/** One round: all of it at once, on alternating instances. */
const race = (instances: [Context, Context], works: Work[]) =>
  atOnce(works.length, async (party) => works[party]?.(instances[party % 2] ?? instances[0]));

/** A rebase as a client would do it: read, merge, and stage over whatever is there. */
async function carelessRebase(context: Context): Promise<void> {
  const { pending } = await getPending(context, { ...at, changeset: null });
  const { record } = await getRecord(context, { ...at, at: { type: 'head' } });
  const { merged } = mergeJson({ base: {}, current: record.data, pending: pending.data ?? {} });
  await stagePending(context, {
    ...at,
    changeset: null,
    staged: { operation: 'upsert', data: merged as Record<string, boolean> },
    precondition: any,
    actor: ann,
  });
}

/** Patches, rebases and commits of the record, at once; answers the edits that were made and those that are there. */
async function patchBesideRebase(rebaseOnce: Work) {
  const instances = await twoInstances();
  const expected = ['start'];
  for (let round = 1; round <= rounds; round += 1) {
    const names = ['a', 'b', 'c', 'd'].map((name) => `staged-${round}-${name}`);
    await patch(instances[0], `staged-${round}`, null);
    await commitDirectly(instances[1], `direct-${round}-first`);
    const outcomes = await race(instances, [
      ...names.map(
        (name): Work =>
          (context) =>
            patch(context, name, null),
      ),
      rebaseOnce,
      rebaseOnce,
      (context) => commitDirectly(context, `direct-${round}`),
    ]);
    expect(refusalsOf(outcomes)).toEqual([]);
    await rebase(instances[0], null);
    await commitPending(instances[1], { ...at, changeset: null, precondition: any, actor: ann });
    expected.push(...names, `staged-${round}`, `direct-${round}`, `direct-${round}-first`);
  }
  expect(await auditStore(instances[0].db)).toEqual([]);
  return { expected: expected.sort(), found: await dataOf(instances[0]) };
}

describe('on two instances', () => {
  test('a rebase beside patches and commits loses no edit', async () => {
    const { expected, found } = await patchBesideRebase((context) => rebase(context, null));
    expect(found).toEqual(expected);
  });

  test('negative control: reading, merging and staging over whatever is there loses edits', async () => {
    const { expected, found } = await patchBesideRebase(carelessRebase);
    expect(found.length).toBeLessThan(expected.length);
  });

  test('a rebase beside the commit of the same pending version loses no edit, and neither is half done', async () => {
    const instances = await twoInstances();
    const expected = ['start'];
    for (let round = 1; round <= rounds; round += 1) {
      await patch(instances[0], `staged-${round}`, null);
      const commit: Work = (context) =>
        commitPending(context, { ...at, changeset: null, precondition: any, actor: ann });
      const outcomes = await race(instances, [
        commit,
        (context) => commitDirectly(context, `direct-${round}`),
        (context) => rebase(context, null),
        (context) => rebase(context, null),
        commit,
      ]);
      for (const code of refusalsOf(outcomes)) expect(['pending-not-found', 'base-outdated']).toContain(code);
      // Whatever was refused is done again, as a client would.
      const isLeft = await getPending(instances[1], { ...at, changeset: null }).then(
        () => true,
        (reason) => codeOf(reason) !== 'pending-not-found',
      );
      if (isLeft) {
        await rebase(instances[1], null);
        await commitPending(instances[0], { ...at, changeset: null, precondition: any, actor: ann });
      }
      expected.push(`staged-${round}`, `direct-${round}`);
      expect(await dataOf(instances[round % 2] ?? instances[0])).toEqual(expected.toSorted());
    }
    expect(await auditStore(instances[0].db)).toEqual([]);
  });

  test('rebases of a changeset beside patches of its members and commits of their records lose no edit', async () => {
    const instances = await twoInstances();
    const expected = ['start'];
    const rebaseAll = (id: string) => (context: Context) =>
      rebaseChangeset(context, { id, resolutions: [], precondition: {}, actor: ann });
    for (let round = 1; round <= rounds; round += 1) {
      const { id } = (await createChangeset(instances[0], { title: `round ${round}`, actor: ann })).changeset;
      const names = ['a', 'b', 'c', 'd'].map((name) => `staged-${round}-${name}`);
      await patch(instances[0], `staged-${round}`, id);
      await commitDirectly(instances[1], `direct-${round}-first`);
      const outcomes = await race(instances, [
        rebaseAll(id),
        ...names.map(
          (name): Work =>
            (context) =>
              patch(context, name, id),
        ),
        rebaseAll(id),
        (context) => commitDirectly(context, `direct-${round}`),
        (context) => rebase(context, id),
      ]);
      expect(refusalsOf(outcomes)).toEqual([]);
      await rebaseAll(id)(instances[1]);
      await commitChangeset(instances[round % 2] ?? instances[0], { id, precondition: any, actor: ann });
      expected.push(...names, `staged-${round}`, `direct-${round}`, `direct-${round}-first`);
    }
    expect(await dataOf(instances[0])).toEqual(expected.sort());
    expect(await auditStore(instances[0].db)).toEqual([]);
  });
});
