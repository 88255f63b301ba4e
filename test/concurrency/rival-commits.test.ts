import { describe, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { commitPending } from '../../src/commands/commit-pending.js';
import type { Context } from '../../src/commands/context.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { getRecord } from '../../src/queries/get-record.js';
import { listVersions } from '../../src/queries/list-versions.js';
import { atOnce, codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { size } from '../support/size.js';

const at = { collection: 'items', key: 'prize' };
const rivals = 32;
const rounds = size(10, 200);

async function twoInstances(): Promise<[Context, Context]> {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  await putCollection(one, { collection: at.collection, definition: {}, precondition: {}, actor: ann });
  await commitChanges(one, {
    changes: [{ ...at, operation: 'put', data: { winner: -1 } }],
    dryRun: false,
    actor: ann,
  });
  return [one, two];
}

const winnersOf = (outcomes: PromiseSettledResult<{ result: { unchanged: boolean } }>[]) =>
  outcomes.filter((outcome) => outcome.status === 'fulfilled' && !outcome.value.result.unchanged).length;

describe('32 rivals on two instances', () => {
  test('committing on one base have one winner each round', async () => {
    const instances = await twoInstances();
    for (let round = 1; round <= rounds; round += 1) {
      const outcomes = await atOnce(rivals, (rival) =>
        commitChanges(instances[rival % 2] ?? instances[0], {
          changes: [{ ...at, ifVersion: round, operation: 'put', data: { winner: rival, round } }],
          dryRun: false,
          actor: ann,
        }),
      );
      expect(winnersOf(outcomes)).toBe(1);
      const refusals = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [codeOf(outcome.reason)] : [],
      );
      expect(new Set(refusals)).toEqual(new Set(['version-conflict']));
      const { record } = await getRecord(instances[0], { ...at, at: { type: 'head' } });
      const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
      expect(record).toMatchObject({ version: round + 1, data: { winner, round } });
    }
    const { page } = await listVersions(instances[1], { ...at, limit: 1000 });
    expect(page.items.map((item) => item.version)).toEqual(
      Array.from({ length: rounds + 1 }, (_, index) => rounds + 1 - index),
    );
  });

  test('negative control: without the expected version nearly all of them win', async () => {
    const instances = await twoInstances();
    const outcomes = await atOnce(rivals, (rival) =>
      commitChanges(instances[rival % 2] ?? instances[0], {
        changes: [{ ...at, operation: 'put', data: { winner: rival } }],
        dryRun: false,
        actor: ann,
      }),
    );
    expect(winnersOf(outcomes)).toBeGreaterThan(1);
  });

  test('committing one pending version by its tag have one winner; the others find nothing to commit', async () => {
    const instances = await twoInstances();
    for (let round = 1; round <= Math.ceil(rounds / 4); round += 1) {
      const staged = await stagePending(instances[0], {
        ...at,
        changeset: null,
        staged: { operation: 'upsert', data: { round } },
        precondition: {},
        actor: ann,
      });
      const outcomes = await atOnce(rivals, (rival) =>
        commitPending(instances[rival % 2] ?? instances[0], {
          ...at,
          changeset: null,
          precondition: { ifMatch: { any: false, tags: [staged.tag] } },
          actor: ann,
        }),
      );
      expect(winnersOf(outcomes)).toBe(1);
      const refusals = outcomes.flatMap((outcome) =>
        outcome.status === 'rejected' ? [codeOf(outcome.reason)] : [],
      );
      expect(new Set(refusals)).toEqual(new Set(['pending-not-found']));
    }
  });
});
