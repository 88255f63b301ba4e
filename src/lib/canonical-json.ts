import type { JsonValue } from './json-value.js';

/**
 * The canonical form of a JSON value (RFC 8785): members sorted by UTF-16 code units, no white space,
 * numbers and strings as ECMAScript writes them. Values are what `parseExactJson` gives: finite numbers and
 * well-formed strings. Recurses, so the depth must have been bounded (a few thousand levels are fine).
 */
export function canonicalJson(value: JsonValue): string {
  // Most values are written in this order already, and then the native writer says the same.
  return isInOrder(value) ? JSON.stringify(value) : inOrder(value);
}

function isInOrder(value: JsonValue): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isInOrder);
  let last: string | undefined;
  for (const name of Object.keys(value)) {
    if ((last !== undefined && name < last) || !isInOrder(value[name] as JsonValue)) return false;
    last = name;
  }
  return true;
}

function inOrder(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError('JSON has no such number');
    return JSON.stringify(value);
  }
  let text: string;
  if (Array.isArray(value)) {
    text = '[';
    for (const item of value) text += text.length > 1 ? `,${inOrder(item)}` : inOrder(item);
    return `${text}]`;
  }
  text = '{';
  for (const name of Object.keys(value).sort()) {
    if (text.length > 1) text += ',';
    text += `${JSON.stringify(name)}:${inOrder(value[name] as JsonValue)}`;
  }
  return `${text}}`;
}
