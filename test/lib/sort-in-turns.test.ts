import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { sortInTurns } from '../../src/lib/sort-in-turns.js';
import { size } from '../support/size.js';

test('the order is that of a stable sort', async () => {
  const items = fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 5_000, size: 'max' });
  await fc.assert(
    fc.asyncProperty(items, async (values) => {
      const named = values.map((value, at) => ({ value, at }));
      const compare = (a: { value: number }, b: { value: number }) => a.value - b.value;
      expect(await sortInTurns(named, compare)).toEqual(named.toSorted(compare));
    }),
    { numRuns: size(20, 200) },
  );
});

test('others have their turn between its steps', async () => {
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 21;
    return now;
  });
  onTestFinished(() => clock.mockRestore());
  let turns = 0;
  const count = () => {
    turns += 1;
    immediate = setImmediate(count);
  };
  let immediate = setImmediate(count);
  await sortInTurns(Array.from({ length: 4_000 }).fill(0), () => 0);
  clearImmediate(immediate);
  // Four runs are sorted, and merged in two pairs and then in one.
  expect(turns).toBeGreaterThanOrEqual(6);
});
