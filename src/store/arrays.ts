import pg from 'pg';

// One-dimensional arrays as parameters, in PostgreSQL's binary form: `pg` sends a Buffer as it is. As text each element
// would be escaped here and unescaped there, which took as long as what the database did with the elements.
//
// The form is that of array_send (src/backend/utils/adt/arrayfuncs.c): five integers (dimensions, whether there are
// NULLs, the type of the elements, their count, the first index), then each element as its length and its bytes, a NULL
// as the length -1. The type must be exactly the one that the statement casts its parameter to.

const headerBytes = 20;
const lengthBytes = 4;
const nullLength = -1;

interface ElementType<Value> {
  oid: number;
  bytesOf: (value: Value) => number;
  write: (value: Value, into: Buffer, offset: number) => void;
}

const arrayOf =
  <Value>({ oid, bytesOf, write }: ElementType<Value>) =>
  (values: readonly (Value | null)[]): Buffer => {
    const lengths = values.map((value) => (value === null ? nullLength : bytesOf(value)));
    let [bytes, hasNulls] = [headerBytes, 0];
    for (const length of lengths) {
      bytes += lengthBytes + Math.max(length, 0);
      if (length === nullLength) hasNulls = 1;
    }
    const buffer = Buffer.allocUnsafe(bytes);
    let offset = 0;
    for (const field of [1, hasNulls, oid, values.length, 1]) offset = buffer.writeInt32BE(field, offset);
    for (const [index, value] of values.entries()) {
      const length = lengths[index] ?? nullLength;
      offset = buffer.writeInt32BE(length, offset);
      if (value === null) continue;
      write(value, buffer, offset);
      offset += length;
    }
    return buffer;
  };

const { BOOL, BYTEA, INT4, INT8, TEXT } = pg.types.builtins;
const above32Bits = 2 ** 32;

export const booleans = arrayOf<boolean>({
  oid: BOOL,
  bytesOf: () => 1,
  write: (value, into, offset) => into.writeUInt8(value ? 1 : 0, offset),
});

/** For `integer[]`. */
export const integers = arrayOf<number>({
  oid: INT4,
  bytesOf: () => 4,
  write: (value, into, offset) => into.writeInt32BE(value, offset),
});

/** For `bigint[]`, from whole numbers that a number holds exactly. */
export const bigints = arrayOf<number>({
  oid: INT8,
  bytesOf: () => 8,
  write: (value, into, offset) => {
    into.writeInt32BE(Math.floor(value / above32Bits), offset);
    into.writeInt32BE(value | 0, offset + 4);
  },
});

export const texts = arrayOf<string>({
  oid: TEXT,
  bytesOf: (value) => Buffer.byteLength(value),
  write: (value, into, offset) => into.write(value, offset),
});

export const byteStrings = arrayOf<Buffer>({
  oid: BYTEA,
  bytesOf: (value) => value.length,
  write: (value, into, offset) => value.copy(into, offset),
});
