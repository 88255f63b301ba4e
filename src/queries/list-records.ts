import { DiptychError } from '../domain/errors.js';
import { revisionCompacted } from '../domain/horizon.js';
import { type Filter, type Sort, splitPath } from '../domain/list-query.js';
import type { PointInTime } from '../domain/point-in-time.js';
import type { Page, RecordView } from '../domain/record.js';
import { collectionNotFound } from '../domain/refusals.js';
import { formatCursor, parseCursor } from '../lib/cursor.js';
import { sha256 } from '../lib/digest.js';
import { projectJson } from '../lib/project-json.js';
import { findHead } from '../store/head.js';
import { isPosition, type ListedRow, listRecordStates } from '../store/list-records.js';
import { findReadableCollection } from '../store/readers.js';
import type { QueryContext } from './context.js';
import { cursorInvalid } from './steps/number-cursor.js';
import { resolvePoint } from './steps/resolve-point.js';

export interface ListRecordsInput {
  collection: string;
  keyPrefix?: string | undefined;
  filters: Filter[];
  sort: Sort[];
  fields?: string[] | undefined;
  limit: number;
  cursor?: string | undefined;
  at: PointInTime;
}

/** Live records of a collection. All pages of one chain of cursors show the revision of the first. */
export async function listRecords(
  context: QueryContext,
  input: ListRecordsInput,
): Promise<{ page: Page<RecordView>; revision: number }> {
  const { collection, sort } = input;
  requireStorable(input);
  const fingerprint = fingerprintOf(input);
  const start = input.cursor === undefined ? null : readCursor(input.cursor, fingerprint, sort);
  const { revision, rows } = await readPage(context, input, start);
  const last = rows.at(-1);
  const next = last?.more ? formatCursor([revision, fingerprint, last.position]) : null;
  const paths = input.fields?.map(splitPath);
  return { page: { items: rows.map((row) => toView(collection, row, paths)), next }, revision };
}

/**
 * The rows of a page and the revision that they show. A page that would show the present is read again in the
 * rare case that what it began to show has been replaced, and gone, before it was read.
 */
async function readPage(
  context: QueryContext,
  input: ListRecordsInput,
  start: { revision: number; after: string[] } | null,
): Promise<{ revision: number; rows: ListedRow[] }> {
  const { collection, keyPrefix, filters, sort, limit } = input;
  for (;;) {
    const head = await findHead(context.db);
    if (start && start.revision > head.revision) throw cursorInvalid();
    const point = start ? start.revision : await resolvePoint(context.db, input.at);
    const found = await findReadableCollection(context.db, collection);
    if (found === null || (input.at.type === 'head' && !start && !found.inForce))
      throw collectionNotFound(collection);
    const revision = point ?? head.revision;
    const { horizon, rows } = await listRecordStates(context.db, {
      collectionId: found.id,
      revision,
      keyPrefix,
      filters,
      sort,
      limit,
      after: start?.after ?? null,
    });
    if (revision >= horizon) return { revision, rows };
    if (point !== null) throw revisionCompacted(collection, revision, horizon);
  }
}

function toView(collection: string, row: ListedRow, paths: string[][] | undefined): RecordView {
  const data = JSON.parse(row.content);
  return {
    collection,
    key: row.key,
    version: row.version,
    revision: row.revision,
    data: paths === undefined ? data : projectJson(data, paths),
    committedAt: row.committedAt.toISOString(),
    committedBy: row.committedBy,
    message: row.message,
  };
}

/** A cursor belongs to one query: what is asked for, but not how much of it. */
function fingerprintOf({ collection, keyPrefix, filters, sort, fields, at }: ListRecordsInput): string {
  const query = JSON.stringify([collection, keyPrefix ?? null, filters, sort, fields ?? null, at]);
  return sha256(query).toString('base64url').slice(0, 16);
}

function readCursor(
  cursor: string,
  fingerprint: string,
  sort: Sort[],
): { revision: number; after: string[] } {
  const position = parseCursor(cursor);
  if (!Array.isArray(position) || position.length !== 3) throw cursorInvalid();
  const [revision, query, after] = position;
  if (
    typeof revision !== 'number' ||
    !Number.isSafeInteger(revision) ||
    revision < 0 ||
    query !== fingerprint
  )
    throw cursorInvalid();
  if (!Array.isArray(after) || !after.every((value) => typeof value === 'string') || !isPosition(sort, after))
    throw cursorInvalid();
  return { revision, after };
}

/** U+0000 is in no record, and PostgreSQL takes no text with it. */
function requireStorable({ keyPrefix = '', filters, sort, fields = [] }: ListRecordsInput): void {
  const texts = [
    keyPrefix,
    ...filters.flatMap(({ path, value }) => [path, value]),
    ...sort.map(({ path }) => path),
    ...fields,
  ];
  if (texts.every((text) => !text.includes('\0') && text.isWellFormed())) return;
  throw new DiptychError(
    'invalid-request',
    'A query parameter holds U+0000 or an unpaired surrogate, which no record does.',
    {
      errors: [
        {
          in: 'query',
          pointer: '',
          code: 'unstorable-text',
          message: 'must not hold U+0000 or unpaired surrogates',
        },
      ],
    },
  );
}
