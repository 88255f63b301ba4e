import type { Readable } from 'node:stream';
import type { ReadLine } from '../commands/stage-lines.js';
import type { Failure } from '../domain/failure.js';
import { ExactJsonError, parseExactJson } from '../lib/exact-json.js';
import { isJsonObject } from '../lib/json-object.js';
import type { JsonValue } from '../lib/json-value.js';
import { type NdjsonLine, readNdjson } from '../lib/ndjson.js';
import { BODY_DEPTH_MAX } from './plugins/bodies.js';
import { bytesOf } from './plugins/slow-clients.js';
import { failuresOf } from './plugins/validation.js';
import { stagedLine } from './schemas/bodies.js';

/** The lines of a body, each read and held against its schema when it is asked for. */
export async function* readLines(
  body: Readable,
  options: { maxBytes: number; silenceMs: number },
): AsyncGenerator<ReadLine, void, undefined> {
  for await (const line of readNdjson(bytesOf(body, options.silenceMs), options)) {
    yield readLine(line, options);
  }
}

function readLine(line: NdjsonLine, { maxBytes }: { maxBytes: number }): ReadLine {
  const { number } = line;
  if ('fault' in line) {
    const failure =
      line.fault === 'too-long'
        ? { pointer: '', code: 'line-too-long', message: `A line has at most ${maxBytes} bytes.` }
        : { pointer: '', code: 'malformed-json', message: 'The line is not valid UTF-8.' };
    return { number, bytes: 0, failures: [failure] };
  }
  const { bytes, text } = line;
  let value: JsonValue;
  try {
    value = parseExactJson(text, { maxDepth: BODY_DEPTH_MAX });
  } catch (error) {
    if (!(error instanceof ExactJsonError)) throw error;
    return { number, bytes: 0, failures: error.failures };
  }
  const parsed = stagedLine.safeParse(value, { reportInput: true });
  if (parsed.success) {
    return { number, bytes, staged: parsed.data };
  }
  const failures = parsed.error.issues.flatMap((issue): Failure[] => failuresOf(issue, 'body'));
  return { number, bytes: 0, failures, ...addressOf(value) };
}

const NAME_MAX_CHARACTERS = 255;

/** The record that a line is about, as far as it says so. */
function addressOf(value: JsonValue): { collection?: string; key?: string } {
  const { collection, key } = isJsonObject(value) ? value : {};
  const isName = (name: JsonValue | undefined): name is string =>
    typeof name === 'string' && name.length <= NAME_MAX_CHARACTERS;
  return { ...(isName(collection) ? { collection } : {}), ...(isName(key) ? { key } : {}) };
}
