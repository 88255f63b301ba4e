import { DiptychError } from './errors.js';
import type { Precondition, TagCondition } from './precondition.js';

/** How much of a SHA-256 digest, in hexadecimal digits, goes into a tag. */
const digestDigits = 16;

/** Tag of a record as readers see it: the revision at which it last changed, and its content. */
export function recordTag(record: { revision: number; digest: string }): string {
  return `"r${record.revision}.${record.digest.slice(0, digestDigits)}"`;
}

/**
 * Tag of a collection: the number and content of its definition, which is what a write names; behind a `~` how far
 * the indexes are that are being built, as long as there are any.
 */
export function collectionTag(definition: { number: number; digest: string; derived?: string }): string {
  const { number, digest, derived = '' } = definition;
  return `"d${number}.${digest.slice(0, digestDigits)}${derived === '' ? '' : `~${derived}`}"`;
}

const definitionPart = (tag: string) => tag.replace(/~.*/, '"');

/** The same comparison for a collection, of which only the definition matters to a write. */
export function matchesDefinitionTag(condition: TagCondition, tag: string): boolean {
  return condition.any || condition.tags.some((given) => definitionPart(given) === definitionPart(tag));
}

/** Tag of a representation that is known only as a whole. */
export function contentTag(digest: string): string {
  return `"c${digest.slice(0, 2 * digestDigits)}"`;
}

/**
 * Tag of a pending version, in two parts. Before the `~`: what was staged, which is what a write names when
 * it says what it saw. After it: what is derived (current version, definition, validation), so that the
 * whole is a strong validator for reads (RFC 9110, section 8.8).
 */
export function pendingTag(pending: { id: number; edit: number; derived: string }): string {
  return `"p${pending.id}.${pending.edit}~${pending.derived}"`;
}

/** Tag of a changeset, in two parts as well: its edits, and after the `~` everything else that it shows. */
export function changesetTag(changeset: { id: string; edit: number; derived: string }): string {
  return `"s${changeset.id}.${changeset.edit}~${changeset.derived}"`;
}

/** Tag of a webhook, in two parts as well: its edits, and after the `~` how far it has come. */
export function webhookTag(webhook: { id: string; edit: number; derived: string }): string {
  return `"w${webhook.id}.${webhook.edit}~${webhook.derived}"`;
}

const stagedPart = (tag: string) => tag.slice(0, tag.indexOf('~') + 1);

/** Strong comparison (RFC 9110, section 13.1.1): weak tags never match. */
export function matchesTag(condition: TagCondition, tag: string): boolean {
  return condition.any || condition.tags.includes(tag);
}

/** The same for a pending version, a changeset or a webhook, whose derived part does not matter to a write. */
export function matchesStagedTag(condition: TagCondition, tag: string): boolean {
  return (
    condition.any ||
    condition.tags.some((given) => /^"[psw]/.test(given) && stagedPart(given) === stagedPart(tag))
  );
}

/**
 * Holds a write against `If-Match` and `If-None-Match`, in the order of RFC 9110, section 13.2.2.
 *
 * @param present tag of what is there, or null
 * @param required whether replacing what is there needs `If-Match`
 * @throws DiptychError `precondition-failed`, or `precondition-required` with the present tag
 */
export function checkPrecondition(
  precondition: Precondition,
  present: string | null,
  options: { what: string; required: boolean; matches?: (condition: TagCondition, tag: string) => boolean },
): void {
  const { what, required, matches = matchesTag } = options;
  const extensions = present === null ? {} : { etag: present };
  if (precondition.ifMatch && (present === null || !matches(precondition.ifMatch, present))) {
    throw new DiptychError(
      'precondition-failed',
      present === null
        ? `There is no ${what}, so If-Match cannot hold.`
        : `The ${what} is not what If-Match names: it is ${present} now.`,
      { extensions },
    );
  }
  if (precondition.ifNoneMatch && present !== null && matches(precondition.ifNoneMatch, present)) {
    throw new DiptychError('precondition-failed', `There is a ${what} already: ${present}.`, { extensions });
  }
  if (required && present !== null && !precondition.ifMatch) {
    throw new DiptychError(
      'precondition-required',
      `There is a ${what} already: send If-Match with its entity tag ${present}.`,
      {
        extensions,
      },
    );
  }
}
