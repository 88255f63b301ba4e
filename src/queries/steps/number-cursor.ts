import { DiptychError } from '../../domain/errors.js';
import { formatCursor, parseCursor } from '../../lib/cursor.js';

/** The refusal of a cursor that does not belong to the list. */
export function cursorInvalid(): DiptychError {
  return new DiptychError('cursor-invalid', 'The cursor is none of this list.', {
    errors: [
      {
        in: 'query',
        pointer: '/cursor',
        code: 'cursor',
        message: 'must be `next` of an earlier page of the same list',
      },
    ],
  });
}

/** Reads a cursor of a list that is ordered by one number; null starts at its beginning. */
export function readNumberCursor(list: string, cursor: string | undefined): number | null {
  if (cursor === undefined) return null;
  const position = parseCursor(cursor);
  if (!Array.isArray(position)) throw cursorInvalid();
  const [name, value] = position;
  if (
    position.length !== 2 ||
    name !== list ||
    !Number.isSafeInteger(value) ||
    Math.abs(Number(value)) > 2 ** 31 * 2 ** 20
  ) {
    throw cursorInvalid();
  }
  return Number(value);
}

export function formatNumberCursor(list: string, value: number): string {
  return formatCursor([list, value]);
}

/** Cuts a page of `limit` items out of rows that were read one further. */
export function cutPage<Row>(
  rows: Row[],
  limit: number,
  cursorOf: (last: Row) => string,
): { rows: Row[]; next: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { rows: page, next: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}
