import type { JsonValue } from './json-value.js';

/** Makes an opaque cursor of a position. */
export function formatCursor(position: JsonValue): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** The position of a cursor; undefined for what is none. Its shape is the caller's to check. */
export function parseCursor(cursor: string): JsonValue | undefined {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    return undefined;
  }
}
