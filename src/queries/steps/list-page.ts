import type { Page } from '../../domain/record.js';
import { formatCursor, parseCursor } from '../../lib/cursor.js';
import { sha256 } from '../../lib/digest.js';
import { isPosition } from '../../store/list-conditions.js';
import type { ListedRow } from '../../store/list-records.js';
import { maxPageBytes } from '../../store/versions.js';
import type { QueryContext } from '../context.js';
import { cursorInvalid } from './number-cursor.js';
import { type ListPlace, type RecordsQuery, readRecords } from './read-records.js';

export interface ListRecordsInput extends RecordsQuery {
  /** Only these members of `data`. */
  fields?: string[] | undefined;
  limit: number;
  cursor?: string | undefined;
}

/** One page of a list that is read anew each time. All pages of one chain of cursors show the state of the first. */
export async function listPage<Item>(
  context: QueryContext,
  input: ListRecordsInput,
  toItem: (row: ListedRow) => Item,
): Promise<{ page: Page<Item>; revision: number }> {
  const { limit, cursor } = input;
  const fingerprint = fingerprintOf(textOfQuery(input));
  const from = cursor === undefined ? null : readCursor(cursor, fingerprint, input);
  const { rows, state } = await readRecords(context, input, from, { limit, maxBytes: maxPageBytes });
  const { revision, edit } = state;
  const last = rows.at(-1);
  const next = last?.more
    ? formatCursor([revision, fingerprint, last.position, ...(edit === null ? [] : [edit])])
    : null;
  return { page: { items: rows.map(toItem), next }, revision };
}

/** What is asked for, but not how much of it. */
export function textOfQuery(input: ListRecordsInput): string {
  const { collection, keyPrefix, filters, sort, fields, at, changeset } = input;
  return JSON.stringify([
    collection,
    keyPrefix ?? null,
    filters,
    sort,
    fields ?? null,
    at,
    ...(changeset === undefined ? [] : [changeset]),
  ]);
}

/** A cursor belongs to one query. */
export function fingerprintOf(queryText: string): string {
  return sha256(queryText).toString('base64url').slice(0, 16);
}

const isNatural = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

export function readCursor(
  cursor: string,
  fingerprint: string,
  { sort, changeset }: ListRecordsInput,
): ListPlace {
  const position = parseCursor(cursor);
  if (!Array.isArray(position) || position.length !== (changeset === undefined ? 3 : 4))
    throw cursorInvalid();
  const [revision, query, after, edit = null] = position;
  if (!isNatural(revision) || query !== fingerprint || !(edit === null || isNatural(edit)))
    throw cursorInvalid();
  if (!Array.isArray(after) || !after.every((value) => typeof value === 'string') || !isPosition(sort, after))
    throw cursorInvalid();
  return { revision, edit, after };
}
