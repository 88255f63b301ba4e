import type { TagCondition } from '../domain/precondition.js';

// One element of the list: optional W/, then any visible characters but the quote (RFC 9110, section 8.8.3).
const ENTITY_TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;
// Splits at commas between tags only: a quoted tag may itself hold a comma.
const LIST = /^[ \t,]*(?:(?:W\/)?"[^"]*"[ \t]*(?:,[ \t,]*|$))+$/;

/**
 * Reads `If-Match` or `If-None-Match` (RFC 9110, section 13.1): `*` or a list of entity tags, weak ones with
 * their `W/`, so that comparing the whole text is the strong comparison. Null when it is neither.
 */
export function parseTagCondition(text: string): TagCondition | null {
  const trimmed = text.trim();
  if (trimmed === '*') {
    return { any: true };
  }
  if (!LIST.test(trimmed)) {
    return null;
  }
  const tags = trimmed.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return tags.every((tag) => ENTITY_TAG.test(tag)) ? { any: false, tags } : null;
}

/** Whether `tag` is among those that the client has: the weak comparison, as reads use it. */
export function matchesWeakly(condition: TagCondition, tag: string): boolean {
  return condition.any || condition.tags.some((candidate) => opaque(candidate) === opaque(tag));
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}
