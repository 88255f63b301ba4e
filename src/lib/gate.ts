export interface GateOptions {
  /** How long anybody waits for a place, in milliseconds. */
  maxWaitMs: number;
  /** What they get who have waited so long. */
  refuse: () => Error;
}

/** Lets so many work at once; the others wait in line, for a bounded time. */
export class Gate {
  readonly #waiting = new Set<() => void>();
  readonly #options: GateOptions;
  #free: number;

  constructor(places: number, options: GateOptions) {
    this.#free = places;
    this.#options = options;
  }

  /** @throws what `refuse` makes, when no place is free in time; `work` has not begun then */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait();
    try {
      return await work();
    } finally {
      const [next] = this.#waiting;
      // The place goes from hand to hand, so that nobody who comes now is before those who wait.
      if (next) next();
      else this.#free += 1;
    }
  }

  #wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        clearTimeout(timer);
        this.#waiting.delete(enter);
      };
      const enter = () => {
        leave();
        resolve();
      };
      const timer = setTimeout(() => {
        leave();
        reject(this.#options.refuse());
      }, this.#options.maxWaitMs);
      this.#waiting.add(enter);
    });
  }
}
