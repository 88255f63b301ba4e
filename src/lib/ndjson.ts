/** One line of a stream, by its number from 1: its text, or why it cannot be read. */
export type NdjsonLine =
  | { number: number; text: string; bytes: number }
  | { number: number; fault: 'too-long' | 'not-utf8' };

const lineFeed = 0x0a;

/**
 * Takes a stream of bytes apart into lines (as in NDJSON), reading no further than it is asked for. A line that
 * is longer than `maxBytes` is passed over without being kept. Blank lines count, and are left out; a carriage
 * return at the end of a line is white space to JSON; the last line may lack its line feed.
 */
export async function* readNdjson(
  source: AsyncIterable<Uint8Array>,
  options: { maxBytes: number },
): AsyncGenerator<NdjsonLine, void, undefined> {
  const line = new OpenLine(options.maxBytes);
  for await (const chunk of source) {
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      line.add(chunk.subarray(start, end));
      const whole = line.end();
      if (whole !== null) yield whole;
      start = end + 1;
    }
    line.add(chunk.subarray(start));
  }
  const last = line.end();
  if (last !== null) yield last;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const blank = /^[ \t\r]*$/;

/** A line that is being read, in as many pieces as it arrived in. */
class OpenLine {
  readonly #maxBytes: number;
  #number = 1;
  #bytes = 0;
  #pieces: Uint8Array[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#bytes += piece.length;
    if (this.#bytes > this.#maxBytes) this.#pieces = [];
    else this.#pieces.push(piece);
  }

  /** The line as it is, null when it is blank; the next one begins. */
  end(): NdjsonLine | null {
    const number = this.#number;
    const bytes = this.#bytes;
    const [first = new Uint8Array(), ...others] = this.#pieces;
    this.#number += 1;
    this.#bytes = 0;
    this.#pieces = [];
    if (bytes > this.#maxBytes) return { number, fault: 'too-long' };
    let text: string;
    try {
      text = utf8.decode(others.length === 0 ? first : Buffer.concat([first, ...others], bytes));
    } catch {
      return { number, fault: 'not-utf8' };
    }
    return blank.test(text) ? null : { number, text, bytes };
  }
}
