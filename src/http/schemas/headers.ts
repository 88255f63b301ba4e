import { z } from 'zod';
import type { TagCondition } from '../../domain/precondition.js';
import { actorText, idempotencyKeyText, integerText, positionPattern, tagCondition } from './primitives.js';
import { quickly } from './quickly.js';

/** The request headers that mean something here, once they are read; which of them depends on the route. */
export interface GivenHeaders {
  'if-match'?: TagCondition | undefined;
  'if-none-match'?: TagCondition | undefined;
  'diptych-min-revision'?: number | undefined;
  'idempotency-key'?: string | undefined;
  'diptych-actor'?: string | undefined;
  'last-event-id'?: string | undefined;
}

const minRevision = integerText(0, Number.MAX_SAFE_INTEGER, {
  description:
    'Answer from a state at least as new as this revision (a `Diptych-Revision` seen before): read your own commits, on any instance. 503 when that state does not arrive within 2 s.',
}).optional();

const knownTag = tagCondition({
  description: 'An `ETag` that you have: 304 without a body when the answer would be the same.',
}).optional();

const actor = actorText
  .meta({
    description:
      'Who makes the change, while the service runs without `AUTH_TOKENS`. With tokens the author is the holder of the token.',
    maxLength: 128,
  })
  .optional();

const seenTag = tagCondition({
  description:
    'The `ETag` of what you saw; 412 when it is no longer there. `*` means whatever is there, on purpose.',
}).optional();

const absentTag = tagCondition({
  description: '`*`: only if nothing is there yet; 412 otherwise.',
}).optional();

const idempotencyKey = idempotencyKeyText
  .meta({
    description:
      'Any text that is new for each commit, best a UUID. A repeat of the request with the same key answers with the first answer and commits nothing twice.',
    maxLength: 255,
  })
  .optional();

const stillTag = tagCondition({
  description: 'An `ETag` that you have: 412 when the answer would be another.',
}).optional();

/** Headers of every read under `/v1`. */
export const readHeaders = quickly(
  z.object({ 'if-none-match': knownTag, 'if-match': stillTag, 'diptych-min-revision': minRevision }),
  readOneKnownTag,
);

/** Whoever asks again sends the one tag that came with the last answer. */
function readOneKnownTag(headers: Record<string, unknown>): GivenHeaders | undefined {
  const known = headers['if-none-match'];
  const isAlone = headers['if-match'] === undefined && headers['diptych-min-revision'] === undefined;
  if (!isAlone || typeof known !== 'string' || !/^"[\x21\x23-\x7e]*"$/.test(known)) {
    return undefined;
  }
  return { 'if-none-match': { any: false, tags: [known] } };
}

/** Headers of the commit log, where a key is looked up for the caller that used it. */
export const logHeaders = readHeaders.extend({
  'diptych-actor': actorText
    .meta({
      description:
        'Whose `Idempotency-Key` is looked up, while the service runs without `AUTH_TOKENS`: the name that made the commit.',
      maxLength: 128,
    })
    .optional(),
});

/** Headers of what stages and defines. */
export const writeHeaders = z.object({
  'if-match': seenTag,
  'if-none-match': absentTag,
  'diptych-actor': actor,
});

/** Headers of what throws staged work away, which has no author. */
export const discardHeaders = z.object({ 'if-match': seenTag });

/** Headers of what reconciles staged work. */
export const rebaseHeaders = z.object({ 'if-match': seenTag, 'diptych-actor': actor });

/** Headers of what deletes. */
export const deleteHeaders = z.object({ 'if-match': seenTag, 'diptych-actor': actor });

/** Headers of what needs no more than an author. */
export const authorHeaders = z.object({ 'diptych-actor': actor });

/** Headers of a commit of staged work or of a rollback. */
export const commitHeaders = z.object({
  'if-match': seenTag,
  'idempotency-key': idempotencyKey,
  'diptych-actor': actor,
});

/** Headers of a commit that names its preconditions in the body. */
export const directCommitHeaders = z.object({ 'idempotency-key': idempotencyKey, 'diptych-actor': actor });

const lastEventId = z
  .string()
  .regex(positionPattern, 'Must be the id of an event of this stream.')
  .or(z.literal(''))
  .meta({
    description:
      'Of a stream of events: the `id` of the last one that arrived; wins over `after`. A browser sends it by itself when it connects again.',
  })
  .optional();

/** Headers of the change feed. */
export const feedHeaders = z.object({ 'diptych-min-revision': minRevision, 'last-event-id': lastEventId });
