import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { rollbackRecord } from '../../src/commands/rollback-record.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { getRecord } from '../../src/queries/get-record.js';
import { getVersion } from '../../src/queries/get-version.js';
import { listRecords } from '../../src/queries/list-records.js';
import { auditStore } from '../support/audit.js';
import { codeOf } from '../support/barrier.js';
import { ann, createInstance } from '../support/context.js';
import { define, putAll, retain } from '../support/retention.js';
import { size } from '../support/size.js';
import { RetentionModel } from './retention-model.js';

// The decision as it is; for the negative controls, with a bug planted in it.
const planted = vi.hoisted(() => ({ bug: 'none' }));
vi.mock('../../src/domain/retention.js', async (importOriginal) => {
  const original = await importOriginal<typeof import('../../src/domain/retention.js')>();
  return {
    ...original,
    effectivePolicy: (definition) => {
      const { policy, isDefault } = original.effectivePolicy(definition);
      if (planted.bug === 'newest' && policy.keepVersions !== null) policy.keepVersions -= 1;
      if (planted.bug === 'young' && policy.keepVersions !== null) policy.keepDays = null;
      if (planted.bug === 'deaf') policy.keepVersions = 1_000;
      return { policy, isDefault };
    },
    decideRetention: (policy, facts, now) =>
      original.decideRetention(policy, planted.bug === 'base' ? { ...facts, base: false } : facts, now),
  } satisfies typeof original;
});
afterEach(() => {
  planted.bug = 'none';
});

const keys = ['a', 'b', 'c'];
const key = fc.constantFrom(...keys);
const limits = { keepVersions: fc.integer({ min: 1, max: 4 }), keepDays: fc.integer({ min: 1, max: 90 }) };
const policyArbitrary = fc
  .record(limits, { requiredKeys: [] })
  .filter((policy) => Object.keys(policy).length > 0)
  .chain((policy) =>
    fc.constantFrom('archive' as const, 'delete' as const).map((onExpire) => ({ ...policy, onExpire })),
  );
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('put' as const), key }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), key }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('rollback' as const), key, to: fc.nat({ max: 9 }) }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('stage' as const), key, member: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('discard' as const), key }) },
  // The clock stands so that what was replaced up to this part of the log is old.
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('retain' as const),
      policy: policyArbitrary,
      old: fc.nat({ max: 100 }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

let collections = 0;

/** Lets a history happen to the service and to the model; answers where they differ. */
async function play(context: Context, steps: Step[]): Promise<string[]> {
  collections += 1;
  const name = `history-${collections}`;
  const model = new RetentionModel();
  await define(context, {}, name);
  const changesets: string[] = [];
  const [start] = await context.db.query<{ revision: number }>('SELECT revision FROM head');
  const first = (start?.revision ?? 0) + 1;
  let n = 0;
  for (const action of steps) {
    if (action.type === 'put') {
      n += 1;
      model.put(action.key, n, await putAll(context, [action.key], { n }, name));
    }
    if (action.type === 'delete' && model.record(action.key).current !== null) {
      const changes = [{ collection: name, key: action.key, operation: 'delete' as const }];
      const { result } = await commitChanges(context, { changes, dryRun: false, actor: ann });
      model.delete(action.key, result.revision);
    }
    if (action.type === 'rollback') {
      const wrong = await playRollback(context, name, model, action);
      if (wrong !== null) return [wrong];
    }
    if (action.type === 'stage' && model.record(action.key).bases.length < 2) {
      const id = action.member ? await insertChangeset(context) : null;
      if (id !== null) changesets.push(id);
      if (id === null && model.record(action.key).bases.length > 0) continue;
      const staged = { operation: 'upsert' as const, data: { n: -1 } };
      const at = { collection: name, key: action.key, changeset: id };
      await stagePending(context, { ...at, staged, precondition: {}, actor: ann });
      model.record(action.key).bases.push(model.record(action.key).current);
    }
    if (action.type === 'discard') {
      await context.db.query(
        `DELETE FROM version v USING record r, collection c
         WHERE v.revision IS NULL AND r.id = v.record_id AND c.id = r.collection_id AND c.name = $1 AND r.key = $2`,
        [name, action.key],
      );
      model.record(action.key).bases = [];
    }
    if (action.type === 'retain') {
      await define(context, { retention: action.policy }, name);
      const { cutoff, now } = await clockOf(context, first, action);
      try {
        await retain(context, { now }, name);
      } catch (error) {
        // What a bug would have removed, the database kept.
        return [String(error)];
      }
      model.retain({ keepVersions: null, keepDays: null, ...action.policy }, cutoff);
      const wrong = await compare(context, name, model);
      if (wrong.length > 0) return wrong;
    }
  }
  return await compare(context, name, model);
}

async function playRollback(
  context: Context,
  collection: string,
  model: RetentionModel,
  { key, to }: { key: string; to: number },
): Promise<string | null> {
  const { versions, current } = model.record(key);
  if (versions.length === 0) return null;
  const index = to % versions.length;
  if (index === current) return null;
  const back = rollbackRecord(context, {
    collection,
    key,
    toVersion: index + 1,
    force: false,
    precondition: {},
    actor: ann,
  });
  const outcome = await back.then(({ result }) => result.revision, codeOf);
  const expected = versions[index]?.state === 'deleted' ? 'version-expired' : 'a revision';
  if (typeof outcome === 'number') model.rollback(key, index, outcome);
  const found = typeof outcome === 'number' ? 'a revision' : outcome;
  return found === expected ? null : `rollback of ${key} to ${index + 1}: ${found}, not ${expected}`;
}

async function insertChangeset(context: Context): Promise<string> {
  const [row] = await context.db.query<{ id: string }>(
    `INSERT INTO changeset (title, created_by) VALUES ('t', 'ann') RETURNING id`,
  );
  return row?.id ?? '';
}

/** A clock by which what was replaced up to some revision is old, and the last such revision. */
async function clockOf(
  context: Context,
  first: number,
  { policy, old }: { policy: { keepDays?: number | undefined }; old: number },
): Promise<{ cutoff: number | null; now: Date }> {
  const [at] = await context.db.query<{ time: Date; cutoff: number }>(
    `SELECT k.committed_at AS time, (SELECT max(e.revision) FROM commit e WHERE e.committed_at <= k.committed_at) AS cutoff
     FROM commit k, head WHERE k.revision = $1::bigint + (head.revision - $1::bigint) * $2::integer / 100`,
    [first - 1, old],
  );
  const { keepDays } = policy;
  if (keepDays === undefined || at === undefined) return { cutoff: null, now: new Date() };
  return { cutoff: at.cutoff, now: new Date(at.time.getTime() + keepDays * 86_400_000) };
}

/** Compares all that can be read: every version, and every record and list at every revision. */
async function compare(context: Context, collection: string, model: RetentionModel): Promise<string[]> {
  const wrong: string[] = [];
  const expect = (what: string, found: unknown, expected: unknown) => {
    const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
    if (a !== b) wrong.push(`${what}: ${a}, not ${b}`);
  };
  for (const [key, { versions }] of model.records) {
    for (const [index, { n, state }] of versions.entries()) {
      const found = await getVersion(context, { collection, key, version: index + 1 }).then(
        ({ version }) => ({ data: version.data, archived: version.archived }),
        codeOf,
      );
      const expected =
        state === 'deleted' ? 'version-expired' : { data: { n }, archived: state === 'archived' };
      expect(`version ${index + 1} of ${key}`, found, expected);
    }
  }
  for (const [revision, state] of model.seen) {
    const at = { type: 'revision' as const, revision };
    const isGone = revision < model.horizon;
    const list = await listRecords(context, { collection, filters: [], sort: [], limit: 10, at }).then(
      ({ page }) => page.items.map((item) => [item.key, item.data.n]),
      codeOf,
    );
    expect(`the list at ${revision}`, list, isGone ? 'revision-compacted' : [...state].sort());
    for (const key of keys) {
      const found = await getRecord(context, { collection, key, at }).then(
        ({ record }) => record.data.n,
        codeOf,
      );
      const expected = isGone
        ? ['revision-compacted']
        : state.has(key)
          ? [state.get(key)]
          : ['record-not-found', 'record-deleted'];
      if (!expected.includes(found as never)) wrong.push(`${key} at ${revision}: ${found}, not ${expected}`);
    }
  }
  return wrong;
}

const runs = size(20, 300);
const history = fc.array(step, { minLength: 8, maxLength: size(24, 40), size: 'max' });

describe('random histories under random policies and clocks', () => {
  test('retention removes all that nothing protects, nothing else, and reads say so', async () => {
    const context = await createInstance();
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        expect(await play(context, steps)).toEqual([]);
      }),
      { numRuns: runs, endOnFailure: true },
    );
    expect(await auditStore(context.db)).toEqual([]);
  });

  test.each([
    ['base', 'takes the base of a pending version'],
    ['newest', 'keeps one version too few'],
    ['young', 'looks at the number alone where both limits are set'],
    ['deaf', 'lets nothing go'],
  ])('negative control: %s, a decision that %s, is found', async (bug) => {
    planted.bug = bug;
    const context = await createInstance();
    let difference: string[] = [];
    await fc.check(
      fc.asyncProperty(history, async (steps) => {
        difference = await play(context, steps);
        return difference.length === 0;
      }),
      { numRuns: 300, endOnFailure: true },
    );
    // The model's word for it, or that of a guard of the database.
    expect(difference.join()).toMatch(/, not |version_immutable|is refused|above the horizon, or the base/);
  });
});
