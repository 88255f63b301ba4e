import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { onceQuiet } from '../../src/lib/once-quiet.js';

test('one that is alone goes after one turn', async () => {
  let isGone = false;
  onceQuiet(
    () => 1,
    () => {
      isGone = true;
    },
  );
  expect(isGone).toBe(false);
  await nextTurn();
  expect(isGone).toBe(true);
});

test('waits for what each turn brings, and not for ever', async () => {
  let count = 1;
  let arrivals = 3;
  let goneWith = 0;
  const arrive = () => {
    if (arrivals === 0 || goneWith > 0) return;
    arrivals -= 1;
    count += 1;
    setImmediate(arrive);
  };
  const run = () => {
    onceQuiet(
      () => count,
      () => {
        goneWith = count;
      },
    );
    arrive();
  };
  run();
  while (goneWith === 0) await nextTurn();
  expect(goneWith).toBe(4);
  arrivals = Number.POSITIVE_INFINITY;
  goneWith = 0;
  run();
  while (goneWith === 0) await nextTurn();
  expect(goneWith).toBeLessThan(20);
});
