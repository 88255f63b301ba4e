import type { Failure } from './failure.js';

/** What sort of refusal a code is; `http/` maps each kind to one status. */
export type ErrorKind =
  | 'malformed' // 400
  | 'unauthenticated' // 401
  | 'forbidden' // 403
  | 'not-found' // 404
  | 'method-not-allowed' // 405
  | 'not-acceptable' // 406
  | 'conflict' // 409
  | 'gone' // 410
  | 'precondition-failed' // 412
  | 'too-large' // 413
  | 'unsupported-media-type' // 415
  | 'invalid' // 422
  | 'precondition-required' // 428
  | 'timeout' // 408
  | 'headers-too-large' // 431
  | 'internal' // 500
  | 'unavailable'; // 503

/**
 * Every refusal that Diptych knows: its kind, a fixed title, and a help text for the page that
 * `type` of a problem document leads to. Nothing is refused with a code that is not here.
 */
export const catalogue = {
  'invalid-request': {
    kind: 'malformed',
    title: 'The request is not of the documented form',
    help: 'Every failure is listed in `errors`, with a JSON Pointer into the part of the request that `in` names. Correct them all and send the request again.',
  },
  'malformed-json': {
    kind: 'malformed',
    title: 'The body is not JSON',
    help: 'The body must be one JSON text in UTF-8 (RFC 8259). The detail names line and column where reading stopped.',
  },
  'forbidden-member': {
    kind: 'malformed',
    title: 'The body has a member name that is not allowed',
    help: '`__proto__`, and `prototype` within `constructor`, are refused, because programs that read them can be taken over. Choose another name.',
  },
  'cursor-invalid': {
    kind: 'malformed',
    title: 'The cursor does not belong to this list',
    help: 'A cursor is valid only with the query that it came from. Start again without `cursor`, or follow `next` as it is.',
  },
  'cursor-expired': {
    kind: 'gone',
    title: 'What the cursor leads through has changed',
    help: 'The changeset of this preview was edited since its first page. All pages show one state, so start again without `cursor`.',
  },
  unauthenticated: {
    kind: 'unauthenticated',
    title: 'A valid bearer token is needed',
    help: 'Send `Authorization: Bearer <token>` with one of the tokens that the service was configured with in `AUTH_TOKENS`.',
  },
  'permission-required': {
    kind: 'forbidden',
    title: 'The caller lacks a permission',
    help: 'The detail names the permission. `admin` is given to a token in `AUTH_TOKENS` by the suffix `:admin`.',
  },
  'approval-required': {
    kind: 'forbidden',
    title: 'More people have to approve this',
    help: '`missing` names the collections and how many approvals each still needs. Stage the change in a changeset and let people who staged none of it approve it as it is: `POST /v1/changesets/{changeset}/approve`. Any edit voids what was approved before.',
  },
  'approval-refused': {
    kind: 'forbidden',
    title: 'This caller cannot approve this changeset',
    help: 'Nobody approves what they staged, and an approval needs a name: a token of `AUTH_TOKENS`, or `Diptych-Actor` where the service runs without tokens.',
  },
  'route-not-found': {
    kind: 'not-found',
    title: 'There is nothing at this path',
    help: 'See `/docs` for every path of the API.',
  },
  'collection-not-found': {
    kind: 'not-found',
    title: 'No such collection',
    help: 'Create it with `PUT /v1/collections/{collection}`; an empty definition `{}` is enough.',
  },
  'definition-not-found': {
    kind: 'not-found',
    title: 'No such definition of the collection',
    help: '`GET …/definitions` lists the definitions that the collection has had. They are numbered from 1.',
  },
  'record-not-found': {
    kind: 'not-found',
    title: 'No such record',
    help: 'Readers see only what has been committed. A record that is only being prepared does not exist for them.',
  },
  'version-not-found': {
    kind: 'not-found',
    title: 'No such committed version',
    help: '`GET …/versions` lists the committed versions of the record.',
  },
  'pending-not-found': {
    kind: 'not-found',
    title: 'No pending version',
    help: 'Stage one with `PUT …/pending` or `PATCH …/pending`.',
  },
  'changeset-not-found': {
    kind: 'not-found',
    title: 'No such changeset',
    help: 'The `changeset` parameter names an open changeset by its id.',
  },
  'webhook-not-found': {
    kind: 'not-found',
    title: 'No such webhook',
    help: '`GET /v1/webhooks` lists those that there are.',
  },
  'commit-not-found': {
    kind: 'not-found',
    title: 'No such commit',
    help: 'Revisions run from 1 to the head, which `Diptych-Revision` carries on every read.',
  },
  'revision-not-found': {
    kind: 'not-found',
    title: 'That revision does not exist yet',
    help: 'Ask for a revision up to the head, or for a moment that has passed.',
  },
  'base-outdated': {
    kind: 'conflict',
    title: 'The record moved since the pending version was started',
    help: 'Somebody committed the record in between. Compare with `GET …/pending/diff`, then rebase (`POST …/rebase`), or discard the pending version and stage anew.',
  },
  'rebase-conflict': {
    kind: 'conflict',
    title: 'Both sides changed the same place',
    help: '`conflicts` lists each place with its value in the base, in the current and in the pending version. Send the rebase again with a resolution for each: `"pending"`, `"current"`, or `{"value": …}`. `conflictCount` says how many there are; of more than 1,000 the others are listed once these are settled. Nothing has been changed.',
  },
  'receipt-stale': {
    kind: 'conflict',
    title: 'The receipt no longer holds',
    help: '`changed` says what differs from what was validated: the content, the definition, the current version, or what its rules looked at. Validate again and commit with the new receipt.',
  },
  'version-conflict': {
    kind: 'conflict',
    title: 'The record is not at the version that the change expects',
    help: 'Read the record, apply the change to what it is now, and send it with the present `ifVersion`.',
  },
  'already-current': {
    kind: 'conflict',
    title: 'That version is the current one already',
    help: 'There is nothing to roll back.',
  },
  'changeset-member': {
    kind: 'conflict',
    title: 'A member of a changeset is not committed alone',
    help: 'All members of a changeset go live together: commit the changeset.',
  },
  'changeset-closed': {
    kind: 'conflict',
    title: 'The changeset is not open',
    help: 'Only an open changeset takes changes, and is committed once. A scheduled one opens again with `POST …/unschedule`; for further changes create another one.',
  },
  'changeset-busy': {
    kind: 'conflict',
    title: 'The changeset is being edited by a long call',
    help: 'A rebase or a large batch of lines holds it at this moment. Nothing was changed; try again after the time in `Retry-After`.',
  },
  'mirror-blocked': {
    kind: 'conflict',
    title: 'The mirror of the collection cannot be made or removed',
    help: 'Something that the service did not make stands in the way in the schema `mirror` of the database: a view that reads the mirror, or another table of its name. `detail` has the word of the database. Remove it there, and send the call again; nothing has been changed.',
  },
  'collection-in-use': {
    kind: 'conflict',
    title: 'The collection is in use',
    help: 'Delete its live records, discard its pending versions, and remove references to it from other definitions first.',
  },
  'definition-conflict': {
    kind: 'conflict',
    title: 'Live records would break the definition',
    help: '`failing` counts them and `sample` shows some. Change the records or the definition; `?dryRun=true` shows the impact without saving.',
  },
  'revert-conflict': {
    kind: 'conflict',
    title: 'Records moved since the commit that is to be undone',
    help: '`errors` lists them. Revert the later commits first, or roll the other records back one by one.',
  },
  'revert-impossible': {
    kind: 'conflict',
    title: 'That commit moved no records',
    help: 'A definition is taken back by putting the earlier one again: `GET /v1/collections/{collection}/definitions` has them all.',
  },
  'patch-test-failed': {
    kind: 'conflict',
    title: 'A test of the JSON Patch failed',
    help: 'The document is not what the patch expects. Read the pending version again.',
  },
  'request-in-flight': {
    kind: 'conflict',
    title: 'A request with this Idempotency-Key is being worked on',
    help: 'Wait for its answer, or repeat the request after a moment to receive the same answer.',
  },
  'retention-running': {
    kind: 'conflict',
    title: 'Retention is running for this collection',
    help: 'An instance of the service, or another call, is at work on it. Try again after the time in `Retry-After`; nothing is lost by waiting.',
  },
  'webhook-limit': {
    kind: 'conflict',
    title: 'There are as many webhooks as there may be',
    help: 'Each is sent to by itself, so their number is bounded: 1,000. Delete those that nobody needs; one receiver can pass events on to many.',
  },
  'record-deleted': {
    kind: 'gone',
    title: 'The record was deleted',
    help: 'Its versions remain: `GET …/versions` lists them, and a rollback to one brings it back.',
  },
  'revision-compacted': {
    kind: 'gone',
    title: 'That revision is below the retained horizon',
    help: 'Ask for a revision from `horizon` on.',
  },
  'position-expired': {
    kind: 'gone',
    title: 'Retention removed data of changes after that position',
    help: '`resume` has the links of the way on: `records`, the records as they are at revision `head` (an export with `Accept: application/x-ndjson`; where the link says `{collection}`, one for each collection), and `changes`, the feed after it. Replace your copy by the first and go on with the second; nothing is lost. A consumer that never falls behind by more than `keepDays` never gets here.',
  },
  'version-expired': {
    kind: 'gone',
    title: 'Retention removed the data of that version',
    help: 'Who, when and the digest remain in the history.',
  },
  'precondition-failed': {
    kind: 'precondition-failed',
    title: 'The precondition does not hold',
    help: 'What you saw has changed since. Read it again, look at what is there now, and send the write with the present entity tag.',
  },
  'record-too-large': {
    kind: 'too-large',
    title: 'The data of a record is too large',
    help: 'The limit is `MAX_RECORD_BYTES`, 1 MiB unless configured, of canonical JSON.',
  },
  'too-many-rows': {
    kind: 'too-large',
    title: 'The call has more rows than one call takes',
    help: 'Rows of one call are taken together or not at all, so there are 10,000 at most. Send them in several calls; into one changeset they still go live together.',
  },
  'body-too-large': {
    kind: 'too-large',
    title: 'The body is too large',
    help: 'Split the request. The limit is `MAX_BODY_BYTES`, 16 MiB unless configured.',
  },
  'unsupported-media-type': {
    kind: 'unsupported-media-type',
    title: 'The media type of the body is not supported here',
    help: 'The `Accept-Patch` or `Accept` header of this answer names the media types that are.',
  },
  'unstorable-data': {
    kind: 'invalid',
    title: 'The data cannot be stored exactly',
    help: 'Nothing is changed in silence, so what cannot come back equal is refused: numbers beyond double precision (send them as strings), U+0000, unpaired surrogates, duplicate members, nesting beyond 64 levels.',
  },
  'rows-refused': {
    kind: 'invalid',
    title: 'Some of the rows cannot be taken',
    help: '`errors` lists what is wrong with each, by its place in the body, and `failed` counts them. Nothing of the call was kept: correct those rows and send all of it again.',
  },
  'patch-impossible': {
    kind: 'invalid',
    title: 'The patch cannot be applied',
    help: 'A path of the patch does not exist, or its result is no pending version. Read the pending version and send a patch that fits.',
  },
  'definition-invalid': {
    kind: 'invalid',
    title: 'The definition is refused',
    help: 'Each failure names its place in the definition and the reason. Definitions are held to bounds in size, depth and cost, so that no definition can stall the service.',
  },
  'validation-failed': {
    kind: 'invalid',
    title: 'The state after the commit would break the rules',
    help: 'Every failure is listed. Nothing was committed. Correct the pending version, validate, and commit again.',
  },
  'work-limit': {
    kind: 'invalid',
    title: 'Judging all records of the call is too much work',
    help: 'Work is counted in steps, not timed, so that the same call is refused alike on every machine; each record is within its own bound, all together are not. Split the call, or make the rules cheaper: a rule that goes through a list inside another list costs the product of their lengths.',
  },
  'webhook-url-refused': {
    kind: 'invalid',
    title: 'Nothing is sent to that URL',
    help: 'A receiver is reached by https or http, without credentials in the URL, in the public Internet. Addresses of private networks, of this machine and of metadata services are refused, however they are spelled, here and again when a name leads to one; `WEBHOOK_ALLOW` names those that are meant.',
  },
  'idempotency-key-reused': {
    kind: 'invalid',
    title: 'The Idempotency-Key was used with another request',
    help: 'Choose a new key for a new request.',
  },
  'method-not-allowed': {
    kind: 'method-not-allowed',
    title: 'This path does not have that method',
    help: 'The `Allow` header lists the methods of this path.',
  },
  'not-acceptable': {
    kind: 'not-acceptable',
    title: 'There is no answer of the media types that are accepted',
    help: '`available` lists the media types that this call can answer with. Name one of them in `Accept`, or leave the header out.',
  },
  'precondition-required': {
    kind: 'precondition-required',
    title: 'Say what you saw',
    help: 'This call would replace, discard or commit staged work. Send `If-Match` with the entity tag of what you read (it is in `etag`), or for a commit the `receipt` of its validation; `If-Match: *` means whatever is there.',
  },
  'request-timeout': {
    kind: 'timeout',
    title: 'The request did not arrive in time',
    help: 'The whole request must arrive within a minute; of a stream of lines, something within each minute. Send it again on a new connection. Nothing was changed, but for lines that were staged already: their repeat is counted as unchanged.',
  },
  'headers-too-large': {
    kind: 'headers-too-large',
    title: 'The URL and headers are too large',
    help: 'URL and headers together may have 16 KiB. Shorten the query or the headers.',
  },
  'internal-error': {
    kind: 'internal',
    title: 'The service failed',
    help: 'This is a fault of the service, not of the request; its log holds the cause under `requestId`. Whether a write took effect can be found out: repeat it with the same `Idempotency-Key`, or read the record.',
  },
  'not-ready': {
    kind: 'unavailable',
    title: 'The service is not ready',
    help: 'Try again after the time in `Retry-After`.',
  },
  'outcome-unknown': {
    kind: 'unavailable',
    title: 'The connection to the database broke while the commit was being written',
    help: 'The commit either happened as a whole or not at all. Repeat the request with the same `Idempotency-Key`, or ask `GET /v1/commits?idempotencyKey=…`, to learn which.',
  },
  'revision-not-reached': {
    kind: 'unavailable',
    title: 'The state asked for has not arrived here yet',
    help: 'Try again after the time in `Retry-After`.',
  },
} as const satisfies Record<string, { kind: ErrorKind; title: string; help: string }>;

export type ErrorCode = keyof typeof catalogue;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(catalogue, text);
}

/** Extra members of the problem document, such as `horizon` or `changed`. */
export type Extensions = Record<string, unknown>;

/** A refusal from the catalogue: the caller's to mend, never a bug. */
export class DiptychError extends Error {
  override readonly name = 'DiptychError';
  /** True when this is the kept answer of an earlier request with the same Idempotency-Key. */
  replayed = false;
  /** The store revision that a refused read reflects; null where that is not known, or nothing was read. */
  revision: number | null = null;

  constructor(
    readonly code: ErrorCode,
    /** One sentence about this very case. */
    readonly detail: string,
    readonly options: { errors?: Failure[]; extensions?: Extensions; retryAfterSeconds?: number } = {},
  ) {
    super(`${code}: ${detail}`);
  }

  /** Says as of which revision this is so, unless that has been said. */
  asOf(revision: number): this {
    this.revision ??= revision;
    return this;
  }
}
