/** How long work may hold the event loop before everybody else has a turn, in milliseconds. */
const sliceMs = 20;

const waiting: (() => void)[] = [];

/** One that waits goes on in each turn of the event loop, so that many of them do not hold it up together. */
function goOn(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(goOn);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(goOn);
  });
}

/** Lets long work be done in slices: between two of them the process answers everybody else. */
export class Turns {
  #startedAt = performance.now();

  /** Waits for a turn when the slice is used up; goes on at once otherwise. To be called between small steps. */
  async pause(): Promise<void> {
    if (performance.now() - this.#startedAt < sliceMs) return;
    await nextTurn();
    this.#startedAt = performance.now();
  }
}
