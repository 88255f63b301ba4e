import { styleText } from 'node:util';
import cliProgress from 'cli-progress';
import Table from 'cli-table3';

type Style = Parameters<typeof styleText>[0];

export interface Bar {
  update(value: number, task: string): void;
  /** Takes the bar off the screen. */
  done(): void;
}

/** What a person sees. Colours and moving bars only on a terminal; elsewhere plain lines that a log can keep. */
export class Screen {
  readonly #output: NodeJS.WriteStream;
  readonly #colours: boolean;

  constructor(output: NodeJS.WriteStream, env: NodeJS.ProcessEnv) {
    this.#output = output;
    this.#colours = output.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  }

  line(text = ''): void {
    this.#output.write(`${text}\n`);
  }

  heading(text: string): void {
    this.line(`\n${this.style('bold', text)}`);
  }

  note(text: string): void {
    this.line(`  ${this.style('dim', text)}`);
  }

  style(style: Style, text: string): string {
    return this.#colours ? styleText(style, text) : text;
  }

  /** A bar of `total` steps, or nothing at all where the output is no terminal. */
  bar(total: number): Bar {
    if (this.#output.isTTY !== true) {
      return { update: () => {}, done: () => {} };
    }
    const bar = new cliProgress.SingleBar({
      stream: this.#output,
      format: `  ${this.style('cyan', '{bar}')} {percentage}%  {task}`,
      barCompleteChar: '━',
      barIncompleteChar: ' ',
      barsize: 30,
      hideCursor: true,
      clearOnComplete: true,
      linewrap: true,
    });
    bar.start(total, 0, { task: '' });
    return {
      update: (value, task) => bar.update(value, { task }),
      done: () => bar.stop(),
    };
  }

  table(head: string[], rows: (string | number)[][]): void {
    const table = new Table({
      head: head.map((title) => this.style('bold', title)),
      colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
      style: { head: [], border: [] },
    });
    table.push(
      ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell))),
    );
    this.line(table.toString());
  }
}
