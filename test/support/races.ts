import { expect } from 'vitest';
import type { Context } from '../../src/commands/context.js';
import { codeOf } from './barrier.js';
import { createInstances } from './context.js';
import { holdHead } from './hold-head.js';

/** Two instances of the service on one database. */
export async function twoInstances(): Promise<[Context, Context]> {
  const [one, two] = await createInstances(2, { poolSize: 6 });
  if (!one || !two) throw new Error('two instances are needed');
  return [one, two];
}

/** How something ended: `done`, or the code of its refusal. Anything else is thrown on. */
export const endOf = (work: Promise<unknown>): Promise<string> => work.then(() => 'done', codeOf);

/**
 * Lets two commits of two instances meet: both are prepared, from one and the same state, before either may
 * decide, and the head's lock lets them in one after the other. Answers how each ended, in their order.
 */
export async function meet(
  context: Context,
  works: [() => Promise<unknown>, () => Promise<unknown>],
  options: { secondFirst: boolean },
): Promise<[string, string]> {
  const head = await holdHead(context.db);
  const [first, second] = options.secondFirst ? [works[1], works[0]] : works;
  const earlier = endOf(first());
  await head.untilWaiting(1);
  const later = endOf(second());
  await head.untilWaiting(2);
  await head.release();
  const ends: [string, string] = [await earlier, await later];
  return options.secondFirst ? [ends[1], ends[0]] : ends;
}

/** Lets something happen after a commit was prepared and before it is decided. Answers how both ended. */
export async function between(
  context: Context,
  commit: () => Promise<unknown>,
  meanwhile: () => Promise<unknown>,
): Promise<[string, string]> {
  const head = await holdHead(context.db);
  const committing = endOf(commit());
  await head.untilWaiting(1);
  const other = await endOf(meanwhile());
  await head.release();
  return [await committing, other];
}

/** One of the two, and not the other; the other for the reason that is given for it. */
export function expectOne(ends: [string, string], reasons: [string, string]): void {
  expect([`done ${reasons[1]}`, `${reasons[0]} done`]).toContain(ends.join(' '));
}
