import { expect, onTestFinished, test, vi } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { commitChangeset } from '../../src/commands/commit-changeset.js';
import { createChangeset } from '../../src/commands/create-changeset.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { JudgePace } from '../../src/commands/steps/judge-pace.js';
import { ann, createInstance } from '../support/context.js';
import { collection, define } from '../support/retention.js';
import { observeStatements } from '../support/statements.js';
import { thrownBy } from '../support/thrown.js';

const silent = { query: async () => [], queryOnce: async () => [] };

/** A clock by which everything takes so long. */
function slowClock(stepMs: number): void {
  let now = performance.now();
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    now += stepMs;
    return now;
  });
  onTestFinished(() => clock.mockRestore());
}

/** The word by which a transaction that is busy elsewhere says that it is still there. */
const isSignOfLife = ({ text }: { text: string }) => text === 'SELECT';

test('the work of a call is refused exactly where it exceeds the bound', () => {
  const pace = new JudgePace(10);
  pace.spend(4);
  pace.spend(6);
  expect(pace.spent).toBe(10);
  expect(thrownBy(() => pace.spend(1))).toMatchObject({
    code: 'work-limit',
    options: { extensions: { limit: 10 } },
  });
});

test('timers and sockets have their turn while many calls judge without end', async () => {
  let served = false;
  setTimeout(() => {
    served = true;
  }, 0);
  const judging = async () => {
    const pace = new JudgePace(Number.POSITIVE_INFINITY);
    // Ends only because others have their turn: without a pause it never would.
    while (!served) await pace.pause(silent);
  };
  await Promise.all(Array.from({ length: 10 }, judging));
  expect(served).toBe(true);
});

test('calls that judge at once take turns: none waits for another to end', async () => {
  const slices: string[] = [];
  const judging = async (name: string) => {
    const pace = new JudgePace(Number.POSITIVE_INFINITY);
    for (let slice = 0; slice < 3; slice += 1) {
      slices.push(name);
      const began = performance.now();
      while (performance.now() - began < 21);
      await pace.pause(silent);
    }
  };
  await Promise.all([judging('a'), judging('b'), judging('c')]);
  expect(slices.join('')).toBe('abcabcabc');
});

test('a commit that judges for long under the lock keeps its transaction alive', async () => {
  const context = await createInstance();
  await define(context, {});
  const statements = observeStatements();
  const changes = ['a', 'b', 'c'].map((key) => ({ collection, key, operation: 'put' as const, data: {} }));
  slowClock(6_000);
  await commitChanges(context, { changes, dryRun: false, actor: ann });
  expect(statements.filter(isSignOfLife).length).toBeGreaterThanOrEqual(3);
});

test('a changeset that is judged for long on its snapshot keeps its transaction alive', async () => {
  const context = await createInstance();
  await define(context, {});
  const { changeset } = await createChangeset(context, { title: 'A release', actor: ann });
  const staged = { operation: 'upsert' as const, data: {} };
  for (const key of ['a', 'b', 'c']) {
    const at = { collection, key, changeset: changeset.id };
    await stagePending(context, { ...at, staged, precondition: {}, actor: ann });
  }
  const statements = observeStatements();
  slowClock(6_000);
  const precondition = { ifMatch: { any: true as const } };
  await commitChangeset(context, { id: changeset.id, precondition, actor: ann });
  expect(statements.filter(isSignOfLife).length).toBeGreaterThanOrEqual(3);
});
