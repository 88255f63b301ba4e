import { expect, test } from 'vitest';
import { bigints, booleans, byteStrings, integers, texts } from '../../src/store/arrays.js';
import { createInstance } from '../support/context.js';

const bytes = (...values: number[]) => Buffer.from(values);

test.each([
  [
    'bigint[]',
    bigints,
    [0, 1, -1, null, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, Number.MAX_SAFE_INTEGER, -(2 ** 53 - 1)],
  ],
  ['integer[]', integers, [0, null, -1, 2 ** 31 - 1, -(2 ** 31)]],
  ['boolean[]', booleans, [true, null, false]],
  ['text[]', texts, ['', null, 'NULL', '{"a":"\\\\,}"}', 'Grüße 🚀', "'", '\n', 'x'.repeat(100_000)]],
  ['bytea[]', byteStrings, [bytes(), null, bytes(0, 255, 92, 34), Buffer.alloc(1_000, 7)]],
] as const)('a %s is what it would be as text', async (type, encode, values) => {
  const { db } = await createInstance();
  for (const given of [values, values.slice(0, 1), []]) {
    const binary = (encode as (values: readonly unknown[]) => Buffer)(given);
    const [row] = await db.queryOnce<{ isSame: boolean; length: number }>(
      `SELECT $1::${type} = $2::${type} AS "isSame", cardinality($1::${type}) AS length`,
      [binary, [...given]],
    );
    expect(row).toEqual({ isSame: true, length: given.length });
  }
});
