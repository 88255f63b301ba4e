/** Judging took more work than is allowed; deterministic, because work is counted and not timed. */
export class BudgetExceeded extends Error {}

/**
 * Counts work, so that no definition can hold up the process: one unit is about 0.1 µs at the very worst.
 * Judging is synchronous, so one budget can be refilled and used again.
 */
export class Budget {
  left: number;

  constructor(private readonly total: number) {
    this.left = total;
  }

  refill(): void {
    this.left = this.total;
  }

  /** Units spent since the budget was refilled; never more than there were. */
  get spent(): number {
    return Math.ceil(Math.min(this.total, this.total - this.left));
  }

  /** @throws {BudgetExceeded} and goes on doing so until the budget is refilled. */
  spend(units: number): void {
    this.left -= units;
    if (this.left < 0) this.stop();
  }

  stop(): never {
    throw new BudgetExceeded('too much work');
  }
}
