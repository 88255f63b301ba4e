import type { JsonValue } from './json-value.js';

/**
 * The canonical form of a JSON value (RFC 8785): members sorted by UTF-16 code units, no white space,
 * numbers and strings as ECMAScript writes them. Values are what `parseExactJson` gives: finite numbers and
 * well-formed strings. Recurses, so the depth must have been bounded (a few thousand levels are fine).
 */
export function canonicalJson(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError('JSON has no such number');
    return JSON.stringify(value);
  }
  let text: string;
  if (Array.isArray(value)) {
    text = '[';
    for (const item of value) text += text.length > 1 ? `,${canonicalJson(item)}` : canonicalJson(item);
    return `${text}]`;
  }
  text = '{';
  for (const name of Object.keys(value).sort()) {
    if (text.length > 1) text += ',';
    text += `${JSON.stringify(name)}:${canonicalJson(value[name] as JsonValue)}`;
  }
  return `${text}}`;
}
