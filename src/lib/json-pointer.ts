import type { JsonValue } from './json-value.js';

/** Longest pointer that `boundedPointer` gives, in UTF-16 code units. */
const boundedPointerLength = 2_000;

/** The unescaped tokens of a JSON Pointer (RFC 6901), or null where `text` is none. */
export function parsePointer(text: string): string[] | null {
  if (!isPointer(text)) return null;
  return text === '' ? [] : text.slice(1).split('/').map(unescapeToken);
}

/** Whether `text` is a JSON Pointer. */
export function isPointer(text: string): boolean {
  return text === '' || (text.startsWith('/') && !/~(?![01])/.test(text));
}

export function formatPointer(tokens: readonly (string | number)[]): string {
  let pointer = '';
  for (const token of tokens) pointer += `/${escapeToken(String(token))}`;
  return pointer;
}

/**
 * Like `formatPointer`, but where that would be very long, the pointer to the closest ancestor that is not:
 * one huge member name must not be repeated in a hundred failures.
 */
export function boundedPointer(tokens: readonly (string | number)[]): string {
  let pointer = '';
  for (const token of tokens) {
    const next = String(token);
    if (pointer.length + next.length >= boundedPointerLength) break;
    pointer += `/${escapeToken(next)}`;
  }
  return pointer;
}

/** The value at `tokens`, or undefined. Sees own members only, and indexes without sign or leading zero. */
export function readPointer(value: JsonValue, tokens: readonly string[]): JsonValue | undefined {
  let at: JsonValue | undefined = value;
  for (const token of tokens) {
    if (typeof at !== 'object' || at === null) return undefined;
    if (Array.isArray(at)) {
      const index = parseIndex(token);
      at = index === null ? undefined : at[index];
    } else {
      at = Object.hasOwn(at, token) ? at[token] : undefined;
    }
  }
  return at;
}

/** An array index as RFC 6901 writes it, or null. */
export function parseIndex(token: string): number | null {
  return /^(?:0|[1-9]\d{0,14})$/.test(token) ? Number(token) : null;
}

export function escapeToken(token: string): string {
  return token.includes('~') || token.includes('/')
    ? token.replaceAll('~', '~0').replaceAll('/', '~1')
    : token;
}

function unescapeToken(token: string): string {
  return token.includes('~') ? token.replaceAll('~1', '/').replaceAll('~0', '~') : token;
}
