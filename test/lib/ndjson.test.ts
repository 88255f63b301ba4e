import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NdjsonLine, readNdjson } from '../../src/lib/ndjson.js';

async function* inPieces(bytes: Uint8Array, sizes: number[]): AsyncGenerator<Uint8Array> {
  let start = 0;
  for (let index = 0; start < bytes.length; index += 1) {
    const end = start + (sizes[index % sizes.length] ?? 1);
    yield bytes.subarray(start, end);
    start = end;
  }
}

async function linesOf(text: string | Uint8Array, maxBytes = 100, sizes = [7]): Promise<NdjsonLine[]> {
  const lines: NdjsonLine[] = [];
  for await (const line of readNdjson(inPieces(Buffer.from(text as string), sizes), { maxBytes }))
    lines.push(line);
  return lines;
}

const textsOf = (lines: NdjsonLine[]) => lines.map((line) => ('text' in line ? line.text : line.fault));

describe('readNdjson', () => {
  test('finds the lines that a model finds, in whatever pieces they arrive', async () => {
    const line = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replaceAll('\n', '').toWellFormed()),
      fc.constantFrom('', ' ', '\t\r', '{"a":"ü👍"}', 'x'.repeat(41)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 20 }),
        fc.boolean(),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }),
        async (texts, isEnded, sizes) => {
          const expected = texts.flatMap((text, index): NdjsonLine[] => {
            const bytes = Buffer.byteLength(text);
            if (bytes > 40) return [{ number: index + 1, fault: 'too-long' }];
            return /^[ \t\r]*$/.test(text) ? [] : [{ number: index + 1, text, bytes }];
          });
          const whole = texts.join('\n') + (isEnded ? '\n' : '');
          expect(await linesOf(whole, 40, sizes)).toEqual(expected);
        },
      ),
    );
  });

  test('takes carriage returns, blank lines and a last line without its end', async () => {
    const lines = await linesOf('{"a":1}\r\n\r\n  \n{"b":2}');
    expect(lines).toEqual([
      { number: 1, text: '{"a":1}\r', bytes: 8 },
      { number: 4, text: '{"b":2}', bytes: 7 },
    ]);
  });

  test('of nothing makes nothing', async () => {
    expect(await linesOf('')).toEqual([]);
    expect(await linesOf('\n')).toEqual([]);
  });

  test('names a line that is not UTF-8, and goes on', async () => {
    const bytes = Buffer.concat([Buffer.from('1\n"'), Buffer.from([0xc3, 0x28]), Buffer.from('"\n3\n')]);
    expect(textsOf(await linesOf(bytes))).toEqual(['1', 'not-utf8', '3']);
  });

  test('leaves a byte order mark to the parser, who refuses it', async () => {
    expect(textsOf(await linesOf('\ufeff{}'))).toEqual(['\ufeff{}']);
  });

  test('passes over a line that is larger than memory, and goes on', async () => {
    const chunk = Buffer.alloc(16 * 1024 * 1024, 'x');
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (let count = 0; count < 300; count += 1) yield chunk;
      yield Buffer.from('\n2');
    }
    const lines: NdjsonLine[] = [];
    for await (const line of readNdjson(endless(), { maxBytes: 1024 })) lines.push(line);
    expect(lines).toEqual([
      { number: 1, fault: 'too-long' },
      { number: 2, text: '2', bytes: 1 },
    ]);
  });

  test('reads no further than it is asked for', async () => {
    let asked = 0;
    async function* counted(): AsyncGenerator<Uint8Array> {
      for (;;) {
        asked += 1;
        yield Buffer.from('1\n2\n');
      }
    }
    const lines = readNdjson(counted(), { maxBytes: 10 });
    for (let count = 0; count < 5; count += 1) await lines.next();
    expect(asked).toBe(3);
    await lines.return();
  });
});
