import { DiptychError } from '../../domain/errors.js';
import { Turns } from '../../lib/turns.js';
import type { Executor } from '../../store/db.js';

/** The server ends a transaction that says nothing for a minute, as one that judges costly records may. */
const silenceMs = 5_000;

/**
 * The pace of one call that judges many records. The bound of one record holds up the process for an instant
 * at most; a call of thousands of such records would hold it up for as long as it takes, and cost what its
 * caller likes. So judging takes turns with everybody else, and the work of the whole call has a bound of its
 * own, counted in the units of `CompiledDefinition.judge`: alike on every machine.
 *
 *     const pace = new JudgePace(limit);
 *     for (const record of records) {
 *       const { errors, work } = definition.judge(record);
 *       pace.spend(work);
 *       await pace.pause(executor);
 *     }
 */
export class JudgePace {
  readonly #limit: number;
  readonly #turns = new Turns();
  #spent = 0;
  #spokeAt = performance.now();

  /** @param limit units of the whole call; one takes 0.5 to 130 ns, and 50 in ordinary definitions */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Units so far. */
  get spent(): number {
    return this.#spent;
  }

  /** @throws DiptychError `work-limit` when the call has become too much work */
  spend(units: number): void {
    this.#spent += units;
    if (this.#spent <= this.#limit) return;
    throw new DiptychError(
      'work-limit',
      `Judging all records of this call takes more than ${this.#limit} units of work.`,
      { extensions: { limit: this.#limit } },
    );
  }

  /**
   * Lets everybody else have a turn when 20 ms have passed since the last, and keeps the transaction alive in
   * which the call judges.
   */
  async pause(executor: Executor): Promise<void> {
    await this.#turns.pause();
    if (performance.now() - this.#spokeAt < silenceMs) return;
    await executor.query('SELECT');
    this.#spokeAt = performance.now();
  }
}
