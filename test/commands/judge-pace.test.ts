import { expect, test } from 'vitest';
import { JudgePace } from '../../src/commands/steps/judge-pace.js';
import { thrownBy } from '../support/thrown.js';

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
    while (!served) await pace.pause();
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
      await pace.pause();
    }
  };
  await Promise.all([judging('a'), judging('b'), judging('c')]);
  expect(slices.join('')).toBe('abcabcabc');
});
