import { expect, test } from 'vitest';
import { GroupQueue, type GroupQueueOptions } from '../../src/lib/group-queue.js';

class Everybodys extends Error {}

/** A queue whose groups are noted, and go on one by one when they are told to. */
function observed(options: Partial<GroupQueueOptions<string, string>> = {}) {
  const groups: string[][] = [];
  const held: (() => void)[] = [];
  const queue = new GroupQueue<string, string>({
    run: async (group) => {
      groups.push(group);
      await new Promise<void>((resolve) => held.push(resolve));
      return group.map((request) => request.toUpperCase());
    },
    nameOf: (request) => request,
    weightOf: () => 1,
    maxWeight: 1_000,
    maxGroup: 3,
    lanes: 1,
    maxWaiting: 100,
    maxWaitingWeight: 1_000,
    refuse: () => new Error('full'),
    isShared: (error) => error instanceof Everybodys,
    ...options,
  });
  /** Lets groups go on until nobody waits. */
  const settle = async <T>(waiting: Promise<T>[]) => {
    let isOver = false;
    const all = Promise.allSettled(waiting).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      held.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    return (await all).map((outcome) =>
      outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason.message),
    );
  };
  return { queue, groups, settle };
}

const submitAll = (queue: GroupQueue<string, string>, requests: string[]) =>
  requests.map((request) => queue.submit(request));

test('what arrives while one group is under way goes together in the next, as many as a group may have', async () => {
  const { queue, groups, settle } = observed();
  const answers = await settle(submitAll(queue, ['a', 'b', 'c', 'd', 'e']));
  expect(answers).toEqual(['A', 'B', 'C', 'D', 'E']);
  expect(groups).toEqual([['a'], ['b', 'c', 'd'], ['e']]);
});

test('a group that gathers begins once the event loop has brought nothing more', async () => {
  const { queue, groups, settle } = observed({ gathers: true });
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
  const waiting = submitAll(queue, ['a']);
  await Promise.resolve();
  waiting.push(...submitAll(queue, ['b']));
  await nextTurn();
  waiting.push(...submitAll(queue, ['c', 'd']));
  expect(groups).toEqual([]);
  await nextTurn();
  await nextTurn();
  expect(groups).toEqual([['a', 'b', 'c']]);
  expect(await settle(waiting)).toEqual(['A', 'B', 'C', 'D']);
  expect(groups.slice(1)).toEqual([['d']]);
});

test('two of one name are never in one group, and keep their order', async () => {
  const { queue, groups, settle } = observed({ nameOf: (request) => request.slice(0, 1), maxGroup: 9 });
  await settle(submitAll(queue, ['x', 'a1', 'b1', 'a2', 'a3', 'b2']));
  expect(groups).toEqual([['x'], ['a1', 'b1'], ['a2', 'b2'], ['a3']]);
});

test('with several lanes two of one name are not under way at once', async () => {
  const { queue, groups, settle } = observed({ nameOf: (request) => request.slice(0, 1), lanes: 2 });
  const waiting = submitAll(queue, ['a1', 'a2', 'b1']);
  expect(groups).toEqual([['a1'], ['b1']]);
  await settle(waiting);
  expect(groups).toEqual([['a1'], ['b1'], ['a2']]);
});

test('with groups of one name all that wait under it go together, in their order, beside those of other names', async () => {
  const { queue, groups, settle } = observed({
    nameOf: (request) => request.slice(0, 1),
    isOfOneName: true,
    lanes: 2,
  });
  const waiting = submitAll(queue, ['a1', 'b1', 'a2', 'c1', 'a3', 'a4', 'b2', 'a5', 'c2']);
  expect(groups).toEqual([['a1'], ['b1']]);
  expect(await settle(waiting)).toEqual(['A1', 'B1', 'A2', 'C1', 'A3', 'A4', 'B2', 'A5', 'C2']);
  expect(groups.slice(2)).toEqual([['c1', 'c2'], ['a2', 'a3', 'a4'], ['b2'], ['a5']]);
});

test('with groups of one name those that nothing was decided about, or that are tried alone, stay before later ones', async () => {
  const { queue, groups, settle } = observed({
    nameOf: (request) => request.slice(0, 1),
    isOfOneName: true,
    maxGroup: 9,
    lanes: 2,
    run: async (group) => {
      groups.push(group);
      await new Promise((resolve) => setImmediate(resolve));
      if (group.length === 2) throw new Error('poison');
      return group.map((request, index) => (index === 0 ? request : undefined));
    },
  });
  const waiting = submitAll(queue, ['a1', 'a2', 'a3', 'a4', 'a5']);
  expect(await settle(waiting)).toEqual(['a1', 'a2', 'a3', 'a4', 'a5']);
  expect(groups).toEqual([
    ['a1'],
    ['a2', 'a3', 'a4', 'a5'],
    ['a3', 'a4', 'a5'],
    ['a4', 'a5'],
    ['a4'],
    ['a5'],
  ]);
});

test('a group weighs no more than it may, but for a first that does so alone', async () => {
  const { queue, groups, settle } = observed({
    weightOf: (request) => request.length,
    maxWeight: 4,
    maxGroup: 9,
  });
  await settle(submitAll(queue, ['x', 'aa', 'bb', 'c', 'dddddd', 'e']));
  expect(groups).toEqual([['x'], ['aa', 'bb'], ['c'], ['dddddd'], ['e']]);
});

test('a poisonous request fails alone: the others of its group are tried by themselves', async () => {
  const { queue, groups, settle } = observed({
    run: async (group) => {
      groups.push(group);
      if (group.includes('bad')) throw new Error('poison');
      return group;
    },
  });
  expect(await settle(submitAll(queue, ['x', 'a', 'bad', 'b']))).toEqual(['x', 'a', 'poison', 'b']);
  expect(groups).toEqual([['x'], ['a', 'bad', 'b'], ['a'], ['bad'], ['b']]);
});

test('what is everybody’s failure is not tried again', async () => {
  const { queue, groups, settle } = observed({
    run: async (group) => {
      groups.push(group);
      throw new Everybodys('broken');
    },
  });
  expect(await settle(submitAll(queue, ['x', 'a', 'b']))).toEqual(['broken', 'broken', 'broken']);
  expect(groups).toEqual([['x'], ['a', 'b']]);
});

test('those that nothing was decided about are the first of the next group', async () => {
  const { queue, groups, settle } = observed({
    run: async (group) => {
      groups.push(group);
      await Promise.resolve();
      return group.map((request, index) => (index === 0 ? request : undefined));
    },
  });
  expect(await settle(submitAll(queue, ['x', 'a', 'b', 'c', 'd']))).toEqual(['x', 'a', 'b', 'c', 'd']);
  expect(groups).toEqual([['x'], ['a', 'b', 'c'], ['b', 'c', 'd'], ['c', 'd'], ['d']]);
});

test('beyond so many that wait, under one name or many, the next is refused', async () => {
  const { queue, settle } = observed({ maxWaiting: 3, nameOf: (request) => request.slice(0, 1) });
  const waiting = submitAll(queue, ['x', 'a1', 'a2', 'b', 'c', 'd']);
  expect(await settle(waiting)).toEqual(['X', 'A1', 'A2', 'B', 'full', 'full']);
  expect(await settle(submitAll(queue, ['e']))).toEqual(['E']);
});

test('beyond so much that waits the next is refused, however few they are', async () => {
  const { queue, settle } = observed({ maxWaitingWeight: 4, weightOf: (request) => request.length });
  const waiting = submitAll(queue, ['x', 'aaa', 'bb', 'c']);
  expect(await settle(waiting)).toEqual(['X', 'AAA', 'full', 'C']);
  // One that is more by itself is taken where nobody else waits.
  expect(await settle(submitAll(queue, ['ddddd']))).toEqual(['DDDDD']);
});
