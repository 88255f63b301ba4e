import { expect, test } from 'vitest';
import { Gate } from '../../src/lib/gate.js';

test('so many work at once, the others in the order in which they came, also after one that failed', async () => {
  const gate = new Gate(2, { maxWaitMs: 60_000, refuse: () => new Error('no place') });
  const events: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const start = (name: string) =>
    gate
      .run(async () => {
        events.push(`${name} begins`);
        await new Promise<void>((resolve, reject) => {
          ends.set(name, (error) => (error ? reject(error) : resolve()));
        });
      })
      .catch(() => events.push(`${name} failed`));
  const all = ['a', 'b', 'c', 'd'].map(start);
  const tick = () => new Promise((resolve) => setImmediate(resolve));
  await tick();
  expect(events).toEqual(['a begins', 'b begins']);
  ends.get('b')?.(new Error('broken'));
  await tick();
  expect(events.slice(2).sort()).toEqual(['b failed', 'c begins']);
  ends.get('a')?.();
  await tick();
  expect(events.slice(4)).toEqual(['d begins']);
  for (const end of ends.values()) end();
  await Promise.all(all);
});

test('who finds no place in time is refused, and is handed none when one is free later', async () => {
  const gate = new Gate(1, { maxWaitMs: 1, refuse: () => new Error('no place') });
  let end = () => {};
  const first = gate.run(() => new Promise<void>((resolve) => (end = resolve)));
  await expect(gate.run(async () => 'second')).rejects.toThrow('no place');
  end();
  await first;
  expect(await gate.run(async () => 'third')).toBe('third');
});
