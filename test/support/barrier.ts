/** Holds callers until as many as expected have arrived, and then lets all go in the same tick. */
export class Barrier {
  #waiting: (() => void)[] = [];

  constructor(private readonly parties: number) {}

  async arrive(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length < this.parties) return;
      const all = this.#waiting;
      this.#waiting = [];
      for (const go of all) go();
    });
  }
}

/** Runs `work` for each of `count` parties at once, started at a barrier; answers how each ended. */
export async function atOnce<T>(
  count: number,
  work: (party: number) => Promise<T>,
): Promise<PromiseSettledResult<T>[]> {
  const barrier = new Barrier(count);
  return await Promise.allSettled(
    Array.from({ length: count }, async (_, party) => {
      await barrier.arrive();
      return await work(party);
    }),
  );
}

/** The code of a refusal; anything else is thrown on, because only refusals are expected. */
export function codeOf(reason: unknown): string {
  if (reason instanceof Error && 'code' in reason && reason.name === 'DiptychError')
    return String(reason.code);
  throw reason;
}
