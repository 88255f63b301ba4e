import { setTimeout as delay } from 'node:timers/promises';

/** Something that goes on until it is stopped; the answer comes when nothing of it runs any more. */
export interface Job {
  stop: () => Promise<void>;
}

/**
 * Does work again and again, and rests in between. Keeps no process alive.
 *
 * @param firstMs the rest before the first time
 * @param work answers how long to rest, in milliseconds; the signal tells it to end early
 */
export function repeat(firstMs: number, work: (signal: AbortSignal) => Promise<number>): Job {
  const controller = new AbortController();
  const { signal } = controller;
  const run = async () => {
    let restMs = firstMs;
    while (await rested(restMs, signal)) restMs = await work(signal);
  };
  const ended = run();
  return {
    stop: async () => {
      controller.abort();
      await ended;
    },
  };
}

/** Waits; answers false when there is no point in going on. */
async function rested(ms: number, signal: AbortSignal): Promise<boolean> {
  await delay(ms, undefined, { signal, ref: false }).catch(() => {});
  return !signal.aborted;
}
