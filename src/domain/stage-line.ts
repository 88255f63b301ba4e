import type { JsonObject } from '../lib/json-value.js';
import { DiptychError } from './errors.js';
import type { Failure } from './failure.js';
import type { Edit } from './intent.js';
import type { PendingOperation } from './record.js';
import { type Content, editContent, toContent } from './stage.js';

/** One line of a stream: what shall become of one record in a changeset. */
export type StagedLine = { collection: string; key: string; message?: string | null | undefined } & Edit;

type StoredContent = Pick<Content, 'content' | 'digest'>;

/** The same, with the content of a `put` made storable. */
export type LineEdit = { collection: string; key: string; message?: string | null | undefined } & (
  | { operation: 'put'; content: StoredContent }
  | Exclude<Edit, { operation: 'put' }>
);

/** Where a record stands before a line, as its changeset sees it. */
export interface Standing {
  /** Digest of the current version; null when the record is not live. */
  currentDigest: string | null;
  /** What the changeset holds of it already. */
  pending: { operation: PendingOperation; digest: string | null; message: string | null } | null;
}

/** Whether the caller has seen what its lines would replace: it did not say, it has, or somebody edited since. */
export type Sight = 'unsaid' | 'seen' | 'outdated';

/** What a record shall be in the changeset; `content` is null for a deletion. */
export interface Decided {
  content: StoredContent | null;
  message: string | null;
}

/** @throws DiptychError when the data of a `put` cannot be stored */
export function prepareLine(line: StagedLine, limits: { maxRecordBytes: number }): LineEdit {
  if (line.operation !== 'put') return line;
  const { collection, key, message, operation, data } = line;
  const { content, digest } = toContent(data, { ...limits, pointer: '/data' });
  return { collection, key, message, operation, content: { content, digest } };
}

/**
 * What a line makes of a record; null when that is so already.
 *
 * @param base the data that a patch starts from
 * @throws DiptychError when the line is refused
 */
export function decideLine(
  line: LineEdit,
  standing: Standing,
  options: { base: JsonObject | undefined; sight: Sight; maxRecordBytes: number },
): Decided | null {
  const { pending, currentDigest } = standing;
  const content = contentAfter(line, standing, options);
  const isWhole = line.operation === 'put' || line.operation === 'delete';
  const message = line.message === undefined ? (isWhole ? null : (pending?.message ?? null)) : line.message;
  if (pending === null) {
    return content !== null && content.digest === currentDigest ? null : { content, message };
  }
  if (
    pending.digest === (content?.digest ?? null) &&
    (line.message === undefined || line.message === pending.message)
  ) {
    return null;
  }
  if (isWhole) requireSight(options.sight);
  return { content, message };
}

function contentAfter(
  line: LineEdit,
  { currentDigest, pending }: Standing,
  { base, maxRecordBytes }: { base: JsonObject | undefined; maxRecordBytes: number },
): StoredContent | null {
  if (line.operation === 'put') return line.content;
  if (line.operation === 'delete') {
    if (currentDigest === null && pending?.operation !== 'delete') throw notThere('There is no such record.');
    return null;
  }
  const isThere = pending === null ? currentDigest !== null : pending.operation === 'upsert';
  if (!isThere) {
    throw notThere(
      pending === null ? 'There is no such record to patch.' : 'The changeset deletes the record.',
    );
  }
  return editContent(base, line, { maxRecordBytes, pointer: '/patch' });
}

function notThere(message: string): DiptychError {
  return new DiptychError('record-not-found', message);
}

function requireSight(sight: Sight): void {
  if (sight === 'unsaid') {
    throw new DiptychError(
      'precondition-required',
      'The changeset holds another state of this record: send If-Match with the entity tag of the changeset, or *, to replace it.',
    );
  }
  if (sight === 'outdated') {
    throw new DiptychError(
      'precondition-failed',
      'The changeset holds another state of this record, and somebody has edited it since you saw it.',
    );
  }
}

/** The failures of a refused line. */
export function failuresOfRefusal({ code, detail, options }: DiptychError): Failure[] {
  const { errors = [] } = options;
  return errors.length > 0 ? errors : [{ pointer: '', code, message: detail }];
}
