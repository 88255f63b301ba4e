import type { Screen } from './screen.js';

/** Everything that the demo says is checked, and counted here. */
export class Claims {
  readonly #screen: Screen;
  #held = 0;
  readonly #broken: string[] = [];

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  get held(): number {
    return this.#held;
  }

  get broken(): readonly string[] {
    return this.#broken;
  }

  /** Notes whether `claim` holds; `found` tells what was there instead. */
  check(holds: boolean, claim: string, found = ''): void {
    if (holds) {
      this.#held += 1;
      this.#screen.line(`  ${this.#screen.style('green', '✓')} ${claim}`);
    } else {
      this.#broken.push(claim);
      const suffix = found === '' ? '' : ` (found: ${found})`;
      this.#screen.line(`  ${this.#screen.style('red', '✗')} ${claim}${suffix}`);
    }
  }

  equal(actual: unknown, expected: unknown, claim: string): void {
    const found = JSON.stringify(actual);
    this.check(found === JSON.stringify(expected), claim, `${found}, expected ${JSON.stringify(expected)}`);
  }
}
