import { DiptychError } from '../../domain/errors.js';
import { revisionCompacted } from '../../domain/horizon.js';
import type { Filter, Sort } from '../../domain/list-query.js';
import type { PointInTime } from '../../domain/point-in-time.js';
import { collectionNotFound } from '../../domain/refusals.js';
import { type Executor, withSnapshot } from '../../store/db.js';
import { findHead } from '../../store/head.js';
import { type ListedRow, listRecordStates } from '../../store/list-records.js';
import { findReadableCollection } from '../../store/readers.js';
import type { QueryContext } from '../context.js';
import { cursorInvalid } from './number-cursor.js';
import { requirePreviewable } from './require-previewable.js';
import { requireReached, resolvePoint } from './resolve-point.js';

/** Which records are asked for, of which state, in which order. */
export interface RecordsQuery {
  collection: string;
  keyPrefix?: string | undefined;
  filters: Filter[];
  sort: Sort[];
  at: PointInTime;
  /** Laid over the newest state; absent: committed records only. */
  changeset?: string | undefined;
}

/** The state that is shown; `edit` is that of the changeset laid over it. */
export interface ShownState {
  revision: number;
  edit: number | null;
}

/** Where to go on: in which state, and after which item. */
export interface ListPlace extends ShownState {
  after: string[];
}

interface Bounds {
  limit: number;
  maxBytes: number;
}

/** Where a part begins, and in which state. */
export interface PartStart {
  from: ListPlace | null;
  /** The revision that was asked for; null: the newest, or that of `from`. */
  point: number | null;
  /** The newest revision; asked again each time that the present has to be read again. */
  findHead: () => Promise<number>;
}

export interface RecordsPart {
  collectionId: number;
  rows: ListedRow[];
  state: ShownState;
}

/** One part of a list, from its beginning or from a place on, where the same state is shown. */
export async function readRecords(
  context: QueryContext,
  query: RecordsQuery,
  from: ListPlace | null,
  bounds: Bounds,
): Promise<RecordsPart> {
  requireStorable(query);
  const point = from ? null : await resolvePoint(context, query.at);
  if (query.changeset === undefined) {
    const findNewest = async () => (await context.reads.fence.cover()).head;
    return await readPart(context.db, query, { from, point, findHead: findNewest }, bounds);
  }
  // The edit of the changeset and what it holds have to be those of one moment.
  return await withSnapshot(context.db, async (snapshot) => {
    const findNewest = async () => (await findHead(snapshot)).revision;
    return await readPart(snapshot, query, { from, point, findHead: findNewest }, bounds);
  });
}

/**
 * A part that would show the present is read again in the rare case that what it began to show has been
 * replaced, and gone, before it was read.
 */
export async function readPart(
  executor: Executor,
  query: RecordsQuery,
  { from, point, findHead }: PartStart,
  bounds: Bounds,
): Promise<RecordsPart> {
  const { collection, keyPrefix, filters, sort, at, changeset } = query;
  for (;;) {
    const head = await findHead();
    if (point !== null) requireReached(point, head);
    if (from && from.revision > head) throw cursorInvalid();
    const edit = changeset === undefined ? null : await requirePreviewable(executor, changeset, head);
    if (from && from.edit !== edit) throw cursorExpired().asOf(head);
    const found = await findReadableCollection(executor, collection);
    if (found === null || (at.type === 'head' && !from && !found.inForce))
      throw collectionNotFound(collection).asOf(head);
    const wanted = from?.revision ?? point;
    const revision = wanted ?? head;
    const { horizon, rows } = await listRecordStates(executor, {
      collectionId: found.id,
      revision,
      changesetId: changeset ?? null,
      keyPrefix,
      filters,
      sort,
      after: from?.after ?? null,
      ...bounds,
    });
    if (revision >= horizon) return { collectionId: found.id, rows, state: { revision, edit } };
    if (wanted !== null) throw revisionCompacted(collection, revision, horizon).asOf(head);
  }
}

function cursorExpired(): DiptychError {
  return new DiptychError('cursor-expired', 'The changeset was edited since the first page of this list.');
}

/** U+0000 is in no record, and PostgreSQL takes no text with it. */
export function requireStorable({ keyPrefix = '', filters, sort }: RecordsQuery): void {
  const texts = [
    keyPrefix,
    ...filters.flatMap(({ path, value }) => [path, value]),
    ...sort.map(({ path }) => path),
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
