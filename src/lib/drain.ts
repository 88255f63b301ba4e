/** Tells the parts of the program that the process is on its way out. */
export interface Drain {
  /** From now on `/readyz` fails and nothing that waits may start to wait. */
  readonly draining: boolean;
  /** Aborted when draining starts: what waits for news (long polls, streams) answers with what it has. */
  readonly signal: AbortSignal;
}

/** A drain and the one function that starts it, which stays with whoever handles the signals. */
export function createDrain(): { drain: Drain; begin: () => void } {
  const controller = new AbortController();
  const drain: Drain = {
    get draining() {
      return controller.signal.aborted;
    },
    signal: controller.signal,
  };
  return { drain, begin: () => controller.abort() };
}
