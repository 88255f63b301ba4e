import { type Program, startProgram } from '../support/program.js';
import type { Target } from './load.js';

/** The started program, which may be killed and started again; ends with the test. */
export class Instance implements Target {
  url = '';
  /** Between its end and the time that it takes requests again. */
  isAway = true;
  #program: Program;

  constructor(
    readonly databaseUrl: string,
    readonly command?: { program: string; args: string[] },
  ) {
    this.#program = this.#start();
  }

  #start(): Program {
    const settings = { DATABASE_URL: this.databaseUrl, POOL_SIZE: '5', LOG_LEVEL: 'info' };
    return startProgram(settings, this.command === undefined ? {} : { command: this.command });
  }

  async ready(): Promise<void> {
    this.url = await this.#program.ready();
    this.isAway = false;
  }

  async killAndRestart(): Promise<void> {
    this.#program.child.kill('SIGKILL');
    this.isAway = true;
    await this.#program.exit();
    this.#program = this.#start();
    await this.ready();
  }
}
