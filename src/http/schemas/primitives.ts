import { z } from 'zod';
import type { TagCondition } from '../../domain/precondition.js';
import { keyMaxCodePoints, problemOfKey } from '../../domain/record-key.js';
import type { JsonObject, JsonValue } from '../../lib/json-value.js';
import { parseTagCondition } from '../entity-tags.js';

export const MESSAGE_MAX_CHARACTERS = 4096;
const IDEMPOTENCY_KEY_MAX_CHARACTERS = 255;
const ACTOR_MAX_CHARACTERS = 128;

/** What a schema says of itself in the OpenAPI document, where that is more than its type tells. */
type Meta = Record<string, unknown> & { description: string };

/** A whole number as plain decimal digits, from a path or a query; `1e3`, ` 1`, `0x10` and nothing are refused. */
export function integerText(min: number, max: number, meta: Meta) {
  const message =
    max === Number.MAX_SAFE_INTEGER
      ? `Must be a whole number from ${min} on, in decimal digits.`
      : `Must be a whole number from ${min} to ${max}, in decimal digits.`;
  return z
    .string()
    .transform((text, context) => {
      const value = /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
      if (value >= min && value <= max && Number.isSafeInteger(value)) {
        return value;
      }
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    })
    .meta({ type: 'integer', format: 'int64', minimum: min, maximum: max, ...meta });
}

/** `true` or `false` in a query. */
export function booleanText(meta: Meta) {
  return z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .meta({ type: 'boolean', ...meta });
}

export const COLLECTION_NAME = /^[a-z][a-z0-9_-]{0,62}$/;

/** Whether a value is the name of a collection. */
export function isPlainName(value: unknown): value is string {
  return typeof value === 'string' && COLLECTION_NAME.test(value);
}

export const collectionName = z
  .string()
  .regex(
    COLLECTION_NAME,
    'Must start with a lower-case letter, and go on with at most 62 lower-case letters, digits, _ or -.',
  )
  .meta({ description: 'Name of the collection.', example: 'products' });

/** Whether a value is a key of printable ASCII, as most are; of others only the schema can tell. */
export function isPlainKey(value: unknown): value is string {
  return typeof value === 'string' && /^(?!\.{1,2}$)[ -~]{1,255}$/.test(value);
}

export const recordKey = z
  .string()
  .superRefine((key, context) => {
    const problem = problemOfKey(key);
    if (problem !== null) {
      context.addIssue({ code: 'custom', message: problem });
    }
  })
  .meta({
    description:
      'Key of the record: 1 to 255 characters of any script, percent-encoded in paths, so that a `/` is `%2F`.',
    minLength: 1,
    maxLength: keyMaxCodePoints,
    example: 'espresso-machine',
  });

/** Changes of one commit at most. */
export const CHANGES_MAX = 10_000;

/** The largest version number that can ever be; versions are counted per record. */
export const VERSION_MAX = 2_147_483_647;

export const versionText = integerText(1, VERSION_MAX, {
  description: 'Number of a committed version; versions count from 1 per record.',
  example: 1,
});

export const definitionNumberText = integerText(1, VERSION_MAX, {
  description: 'Number of a definition; definitions count from 1 per collection.',
  example: 1,
});

export const revisionText = integerText(1, Number.MAX_SAFE_INTEGER, {
  description: 'Revision of a commit; revisions count from 1 over the whole store.',
  example: 1,
});

export const changesetId = z.uuid('Must be the id of a changeset, a UUID.').toLowerCase().meta({
  description:
    'Id of the changeset that holds the pending version. Without it, the pending version that stands alone is meant.',
});

export const messageText = z
  .string()
  .max(MESSAGE_MAX_CHARACTERS)
  .meta({ description: 'Why the change is made; kept in the commit log.' });

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Any JSON object, taken as the parser gave it: not walked, not copied. */
export const jsonObject = z
  .custom<JsonObject>(isObject, 'Must be a JSON object.')
  .meta({ type: 'object', additionalProperties: true });

/** Any JSON value, taken as the parser gave it. */
export const jsonValue = z.custom<JsonValue>((value) => value !== undefined, 'Must be given.').meta({});

/** `If-Match` or `If-None-Match`. */
export function tagCondition(meta: Meta) {
  return z
    .string()
    .transform((text, context): TagCondition => {
      const condition = parseTagCondition(text);
      if (condition === null) {
        context.addIssue({
          code: 'custom',
          message: 'Must be * or a list of entity tags in double quotes, as ETag gave them.',
        });
        return z.NEVER;
      }
      return condition;
    })
    .meta({ ...meta });
}

/** `Idempotency-Key`: a structured-field string in quotes, or the same characters bare. */
export const idempotencyKeyText = z
  .string()
  .transform((text, context) => {
    const trimmed = text.trim();
    const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/.exec(trimmed);
    const key = quoted?.[1] === undefined ? trimmed : quoted[1].replace(/\\(["\\])/g, '$1');
    if (/^[\x20-\x7e]+$/.test(key) && key.length <= IDEMPOTENCY_KEY_MAX_CHARACTERS) {
      return key;
    }
    context.addIssue({
      code: 'custom',
      message: `Must be 1 to ${IDEMPOTENCY_KEY_MAX_CHARACTERS} printable ASCII characters, in double quotes or bare.`,
    });
    return z.NEVER;
  })
  .meta({ minLength: 1 });

/** `Diptych-Actor`; header bytes are read as UTF-8. */
export const actorText = z.string().transform((text, context) => {
  // Composed, so that who writes é in one code point and who writes it in two are the same person.
  const name = utf8OfHeader(text)?.normalize('NFC') ?? null;
  if (
    name !== null &&
    !/[\p{C}]/u.test(name) &&
    name.trim() !== '' &&
    [...name].length <= ACTOR_MAX_CHARACTERS
  ) {
    return name.trim();
  }
  context.addIssue({
    code: 'custom',
    message: `Must be 1 to ${ACTOR_MAX_CHARACTERS} printable characters in UTF-8.`,
  });
  return z.NEVER;
});

// Node hands header bytes over as if they were Latin-1.
function utf8OfHeader(text: string): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'latin1'));
  } catch {
    return null;
  }
}

/** A position of the feed: a revision, or a place within one. */
export const positionPattern = /^(?:0|[1-9]\d{0,14})(?:\.[1-9]\d{0,8})?$/;
