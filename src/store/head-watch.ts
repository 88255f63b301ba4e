import type { Db } from './db.js';
import { findHead } from './head.js';

/** How often the head is asked for while anybody waits, in milliseconds: one statement for all who wait. */
const intervalMs = 50;

/** The same while the database is listened to: for what a listener may miss without noticing. */
const listeningIntervalMs = 500;

interface Waiter {
  above: number;
  resolve: (head: number) => void;
}

/**
 * Waits for the head to move, on whichever instance it is moved. What counts is the head that is asked for; a word
 * that it may have moved only makes the asking come sooner.
 */
export class HeadWatch {
  readonly #db: Db;
  readonly #waiters = new Set<Waiter>();
  #running = false;
  #isListening = false;
  /** Whether the head may have moved since it was last asked for. */
  #isWoken = false;
  /** Those who want to know when somebody begins to wait. */
  #onWaiting: (() => void)[] = [];
  /** Ends the pause between two askings. */
  #endPause: () => void = () => {};

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
      if (this.#running) this.wake();
      else void this.#run();
      for (const tell of this.#onWaiting.splice(0)) tell();
    });
  }

  /** Whether anybody waits. */
  get isWaitedFor(): boolean {
    return this.#waiters.size > 0;
  }

  /** Resolves when somebody waits, or the signal aborts. */
  async untilWaitedFor(signal: AbortSignal): Promise<void> {
    if (this.isWaitedFor || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done);
      this.#onWaiting.push(done);
    });
  }

  /** Says that the head may have moved. */
  wake(): void {
    this.#isWoken = true;
    this.#endPause();
  }

  /** Says whether `wake` can be relied upon, but for what gets lost without anybody noticing. */
  set isListening(value: boolean) {
    this.#isListening = value;
    this.wake();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiters.size > 0) {
      this.#isWoken = false;
      // A database that is away for a moment ends nobody's wait; its time limit does.
      const head = await findHead(this.#db).catch(() => undefined);
      if (head)
        for (const waiter of this.#waiters) if (head.revision > waiter.above) waiter.resolve(head.revision);
      // One that is away is not asked again at once, however often somebody comes to wait.
      if (this.#waiters.size > 0) await this.#pause(head === undefined);
    }
    this.#running = false;
  }

  async #pause(isAway: boolean): Promise<void> {
    if (this.#isWoken && !isAway) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#isListening ? listeningIntervalMs : intervalMs);
      if (isAway) return;
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endPause = () => {};
  }
}
