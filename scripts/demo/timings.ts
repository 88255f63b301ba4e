import type { Screen } from './screen.js';

/** How long each step took, for the table at the end. */
export class Timings {
  readonly #steps: { name: string; records: number; ms: number }[] = [];

  /** Does `work`, which is about so many `records`, and notes the time that it took. */
  async measure<Result>(name: string, records: number, work: () => Promise<Result>): Promise<Result> {
    const start = performance.now();
    const result = await work();
    this.#steps.push({ name, records, ms: performance.now() - start });
    return result;
  }

  print(screen: Screen): void {
    screen.table(
      ['step', 'records', 'time', 'records/s'],
      this.#steps.map(({ name, records, ms }) => [
        name,
        records,
        `${(ms / 1_000).toFixed(2)} s`,
        Math.round(records / (ms / 1_000)),
      ]),
    );
  }
}
