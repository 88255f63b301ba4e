import { isExactNumber } from './exact-number.js';
import type { JsonValue } from './json-value.js';

/**
 * The number of members that a JSON text spells out, or null when it holds anything that a closer look must
 * judge. (Of a text that is no JSON it may be any number.) Comparing it with the members that the parsed value has finds duplicates without any set.
 */
export function countPlainMembers(text: string, maxDepth: number): number | null {
  let members = 0;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === 0x22) {
      at = endOfPlainString(text, at);
      if (at < 0) return null;
    } else if (char === 0x3a) {
      members += 1;
    } else if (char === 0x7b || char === 0x5b) {
      depth += 1;
      if (depth > maxDepth) return null;
    } else if (char === 0x7d || char === 0x5d) {
      depth -= 1;
    } else if (char === 0x2d || (char >= 0x30 && char <= 0x39)) {
      at = endOfExactNumber(text, at);
      if (at < 0) return null;
    }
  }
  return members;
}

/** Where the string that starts at `start` ends (its closing quote), or -1 when it needs a closer look. */
function endOfPlainString(text: string, start: number): number {
  let at = start + 1;
  for (; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char === 0x22) return at;
    if (char === 0x5c) {
      at += 1;
      if (text.charCodeAt(at) === 0x75 && /^(?:0000|d[89a-f])/i.test(text.slice(at + 1, at + 5))) return -1;
    } else if (char >= 0xd800 && char <= 0xdfff) {
      at += 1;
      const next = text.charCodeAt(at);
      if (char > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return -1;
    }
  }
  return -1;
}

/** Where the number that starts at `start` ends (its last character), or -1 when it is not exact. */
function endOfExactNumber(text: string, start: number): number {
  let at = start;
  let digits = 0;
  let hasExponent = false;
  for (; at < text.length; at += 1) {
    const char = text.charCodeAt(at);
    if (char >= 0x30 && char <= 0x39) digits += 1;
    else if (char === 0x65 || char === 0x45) hasExponent = true;
    else if (char !== 0x2e && char !== 0x2d && char !== 0x2b) break;
  }
  // Up to 15 decimal digits always survive a double (DBL_DIG).
  const exact = (digits <= 15 && !hasExponent) || isExactNumber(text.slice(start, at));
  return exact ? at - 1 : -1;
}

/** All members of the value, or null when one of them is forbidden. */
export function countOwnMembers(root: JsonValue): number | null {
  let count = 0;
  const waiting: JsonValue[] = [root];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) {
      for (const item of value) if (typeof item === 'object' && item !== null) waiting.push(item);
      continue;
    }
    for (const name of Object.keys(value)) {
      const member = value[name] as JsonValue;
      count += 1;
      if (name === '__proto__') return null;
      if (typeof member !== 'object' || member === null) continue;
      if (name === 'constructor' && Object.hasOwn(member, 'prototype')) return null;
      waiting.push(member);
    }
  }
  return count;
}
