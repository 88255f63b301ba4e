/** Where lines go: what is given to it in one piece is written in one piece. */
export interface Destination {
  write(text: string): unknown;
  flushSync(): void;
}

/**
 * Hands lines on together: as many as fit into a piece, and after `delayMs` those that are there. Each write wakes
 * another thread and the event loop once more, which costs more than to make a line.
 */
export class LineBuffer {
  #text = '';
  #bytes = 0;
  #isDue = false;

  constructor(
    private readonly destination: Destination,
    private readonly options: { pieceBytes: number; delayMs: number },
  ) {}

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#bytes + bytes > this.options.pieceBytes) {
      this.#handOn();
    }
    this.#text += line;
    this.#bytes += bytes;
    if (!this.#isDue) {
      this.#isDue = true;
      setTimeout(() => {
        this.#isDue = false;
        this.#handOn();
      }, this.options.delayMs).unref();
    }
  }

  /** Writes all that is there before it returns. */
  flushSync(): void {
    this.#handOn();
    this.destination.flushSync();
  }

  #handOn(): void {
    if (this.#bytes === 0) {
      return;
    }
    const text = this.#text;
    this.#text = '';
    this.#bytes = 0;
    this.destination.write(text);
  }
}
