import type { Db } from './db.js';
import { findHead } from './head.js';

/** How often the head is asked for while anybody waits, in milliseconds: one statement for all who wait. */
const intervalMs = 50;

interface Waiter {
  above: number;
  resolve: (head: number) => void;
}

/** Waits for the head to move, on whichever instance it is moved. */
export class HeadWatch {
  readonly #db: Db;
  readonly #waiters = new Set<Waiter>();
  #running = false;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Answers the head once it is above `above`, or undefined when the time is over or the signal aborts. */
  async waitAbove(
    above: number,
    options: { timeoutMs: number; signal?: AbortSignal | undefined },
  ): Promise<number | undefined> {
    const { timeoutMs, signal } = options;
    if (signal?.aborted || timeoutMs <= 0) return undefined;
    return await new Promise((resolve) => {
      const finish = (head?: number) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
        this.#waiters.delete(waiter);
        resolve(head);
      };
      const stop = () => finish();
      const waiter: Waiter = { above, resolve: finish };
      const timer = setTimeout(stop, timeoutMs);
      signal?.addEventListener('abort', stop);
      this.#waiters.add(waiter);
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiters.size > 0) {
      // A database that is away for a moment ends nobody's wait; its time limit does.
      const head = await findHead(this.#db).catch(() => undefined);
      if (head)
        for (const waiter of this.#waiters) if (head.revision > waiter.above) waiter.resolve(head.revision);
      if (this.#waiters.size > 0) await new Promise((resolve) => setTimeout(resolve, intervalMs));
    }
    this.#running = false;
  }
}
