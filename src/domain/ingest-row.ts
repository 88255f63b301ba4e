import { ExactJsonError, type ExactJsonFailure, parseExactJson } from '../lib/exact-json.js';
import { isJsonObject } from '../lib/json-object.js';
import { escapeToken } from '../lib/json-pointer.js';
import type { JsonObject, JsonValue } from '../lib/json-value.js';
import { DiptychError } from './errors.js';
import type { Failure } from './failure.js';
import type { PendingOperation } from './record.js';
import { problemOfKey } from './record-key.js';
import { type Content, maxDataDepth, toContent } from './stage.js';

/** The members of a row that mean something here. */
export interface RowFields {
  keyField: string;
  /** Holds the row kind; without it every row is one to keep. */
  rowKindField?: string | undefined;
}

/** What a row asks for. `skip`: it is the row before an update, and the row after it tells all. */
export type RowAction = 'upsert' | 'delete' | 'skip';

/** One row of a call, read: the record that it names, and what that shall be. */
export type IngestRow = { row: number; pointer: string; key: string } & (
  | { action: 'upsert'; content: Content }
  | { action: 'delete' }
  | { action: 'skip' }
);

/** The row kinds of Apache SeaTunnel, short and in full. */
const actions: Readonly<Record<string, RowAction>> = {
  '+I': 'upsert',
  INSERT: 'upsert',
  '+U': 'upsert',
  UPDATE_AFTER: 'upsert',
  '-U': 'skip',
  UPDATE_BEFORE: 'skip',
  '-D': 'delete',
  DELETE: 'delete',
};

/** One row, or many; a row among many may be the JSON text of one. */
export type RowsBody = JsonObject | JsonValue[];

/** A row as it was sent, and its place in the body. */
export interface SentRow {
  value: JsonValue;
  row: number;
  pointer: string;
}

/** The rows of a body, each with its place. */
export function sentRows(body: RowsBody): SentRow[] {
  if (!Array.isArray(body)) return [{ value: body, row: 0, pointer: '' }];
  return body.map((value, row) => ({ value, row, pointer: `/${row}` }));
}

/**
 * Reads one row: an object, or the JSON text of one.
 *
 * @returns the row, or all that is wrong with it
 */
export function readRow(
  sent: SentRow,
  fields: RowFields,
  limits: { maxRecordBytes: number },
): { read: IngestRow } | { refused: DiptychError[] } {
  const { row, pointer } = sent;
  const refused: DiptychError[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof DiptychError)) throw error;
      refused.push(placed(error, row));
      return undefined;
    }
  };
  const members = attempt(() => membersOf(sent));
  if (members === undefined) return { refused };
  const key = attempt(() => keyOf(members, fields.keyField, pointer));
  const action = attempt(() => actionOf(members, fields.rowKindField, pointer));
  // What is wrong with the data is told whatever else is wrong; only a row that is kept has to be storable.
  const content =
    action === undefined || action === 'upsert'
      ? attempt(() => toContent(without(members, fields.rowKindField), { ...limits, pointer }))
      : undefined;
  if (key === undefined || action === undefined || refused.length > 0) return { refused };
  if (action !== 'upsert') return { read: { row, pointer, key, action } };
  if (content === undefined) throw new Error('a row without content that nothing is wrong with');
  return { read: { row, pointer, key, action, content } };
}

function membersOf({ value, pointer }: SentRow): JsonObject {
  const parsed = typeof value === 'string' ? parseRow(value, pointer) : value;
  if (isJsonObject(parsed)) return parsed;
  throw refusedRow({ pointer, code: 'type', message: 'must be a JSON object, or the JSON text of one' });
}

const codeOfText = {
  malformed: 'malformed-json',
  'forbidden-member': 'forbidden-member',
  unstorable: 'unstorable-data',
} as const;

function parseRow(text: string, pointer: string): JsonValue {
  try {
    return parseExactJson(text, { maxDepth: maxDataDepth });
  } catch (error) {
    if (!(error instanceof ExactJsonError)) throw error;
    const errors = error.failures.map(
      (failure: ExactJsonFailure): Failure => ({ ...failure, pointer: pointer + failure.pointer }),
    );
    throw new DiptychError(codeOfText[error.kind], 'A row cannot be read as it is.', { errors });
  }
}

/**
 * The key of a record, in the text of a row's member. A number is written in the one way that it is stored in (1
 * and 1.0 are one number, one content and so one record), which is also how a JSON string of it would be compared.
 */
function keyOf(members: JsonObject, field: string, pointer: string): string {
  const at = `${pointer}/${escapeToken(field)}`;
  const value = Object.hasOwn(members, field) ? members[field] : undefined;
  if (value === undefined) throw refusedRow({ pointer: at, code: 'required', message: 'Must be given.' });
  if (typeof value === 'object')
    throw refusedRow({ pointer: at, code: 'type', message: 'must be a string, a number or a boolean' });
  const key = typeof value === 'string' ? value : JSON.stringify(value);
  const problem = problemOfKey(key);
  if (problem !== null) throw refusedRow({ pointer: at, code: 'format', message: problem });
  return key;
}

function actionOf(members: JsonObject, field: string | undefined, pointer: string): RowAction {
  if (field === undefined || !Object.hasOwn(members, field)) return 'upsert';
  const kind = members[field];
  const action = typeof kind === 'string' && Object.hasOwn(actions, kind) ? actions[kind] : undefined;
  if (action !== undefined) return action;
  const message = `must be one of ${Object.keys(actions).join(', ')}`;
  throw refusedRow({ pointer: `${pointer}/${escapeToken(field)}`, code: 'choice', message });
}

function without(members: JsonObject, field: string | undefined): JsonObject {
  if (field === undefined || !Object.hasOwn(members, field)) return members;
  const { [field]: _, ...data } = members;
  return data;
}

function refusedRow(failure: Failure): DiptychError {
  return new DiptychError('rows-refused', 'A row cannot be taken.', { errors: [failure] });
}

/** Names the row in every failure. */
function placed({ code, detail, options }: DiptychError, row: number): DiptychError {
  const errors = (options.errors ?? []).map((failure) => ({ ...failure, row }));
  return new DiptychError(code, detail, { ...options, errors });
}

/** Where a record stands before a call: its current version, and what is pending in the same place. */
export interface RowStanding {
  /** Digest of the current version; null when the record is not live. */
  currentDigest: string | null;
  pending: { operation: PendingOperation; digest: string | null } | null;
}

/**
 * What has to be done so that nothing but the row is pending: a row that readers see already waits for nothing.
 * The outcome is the same whatever was pending before.
 *
 * @param digest of the content that the record shall have; null: it shall not be live
 */
export function decideRow(
  digest: string | null,
  { currentDigest, pending }: RowStanding,
): 'stage' | 'discard' | 'unchanged' {
  if (digest === currentDigest) return pending === null ? 'unchanged' : 'discard';
  if (pending === null) return 'stage';
  return pending.digest === digest ? 'unchanged' : 'stage';
}
