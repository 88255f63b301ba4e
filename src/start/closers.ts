import type { Logger } from 'pino';

/** What was opened while starting and has to be closed at the end, the last first. */
export class Closers {
  readonly #steps: { name: string; close: () => Promise<unknown> }[] = [];

  add(name: string, close: () => Promise<unknown>): void {
    this.#steps.push({ name, close });
  }

  /**
   * Closes everything, one after the other. What fails is logged and does not keep the rest from closing.
   * @returns whether all went well.
   */
  async closeAll(logger: Logger): Promise<boolean> {
    let isClean = true;
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step.close();
      } catch (error) {
        isClean = false;
        logger.error({ err: error }, `closing failed: ${step.name}`);
      }
    }
    return isClean;
  }
}
