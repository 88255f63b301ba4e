/** One line of an import or an export. */
export type Line =
  | { collection: string; key: string; operation: 'put'; data: unknown }
  | { collection: string; key: string; operation: 'delete' };

/** Large enough that a chunk is worth its trouble, small enough that many wait nowhere. */
const CHUNK_CHARACTERS = 64 * 1024;

/** A request body of one line each, written as fast as it is taken away: the whole is never in memory. */
export function bodyOf(lines: Iterable<Line> | AsyncIterable<Line>): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunksOf(lines));
}

async function* chunksOf(lines: Iterable<Line> | AsyncIterable<Line>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = '';
  for await (const line of lines) {
    text += `${JSON.stringify(line)}\n`;
    if (text.length >= CHUNK_CHARACTERS) {
      yield encoder.encode(text);
      text = '';
    }
  }
  if (text !== '') {
    yield encoder.encode(text);
  }
}

/** The lines of an answer, as they arrive; the whole is never in memory. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      yield JSON.parse(part) as Line;
    }
  }
  if (rest + decoder.decode() !== '') {
    throw new Error('The last line has no end, so it may not be the last.');
  }
}
