import { revisionCompacted } from '../domain/horizon.js';
import { showPage } from '../domain/page-text.js';
import type { PageAnswer } from '../domain/record-answer.js';
import { collectionNotFound } from '../domain/refusals.js';
import type { Cover } from '../store/fence.js';
import type { QueryContext } from './context.js';
import { fingerprintOf, type ListRecordsInput, readCursor, textOfQuery } from './steps/list-page.js';
import { loadPage, type WantedPage } from './steps/load-page.js';
import { cursorInvalid } from './steps/number-cursor.js';
import { requireStorable } from './steps/read-records.js';
import { requireReached, resolvePoint } from './steps/resolve-point.js';

/** Live records of a collection. All pages of one chain of cursors show the revision of the first. */
export async function listRecords(
  context: QueryContext,
  input: Omit<ListRecordsInput, 'changeset'>,
): Promise<PageAnswer> {
  const { clock, cache, fence } = context.reads;
  requireStorable(input);
  const { cursor, limit, collection } = input;
  const queryText = textOfQuery(input);
  const from = cursor === undefined ? null : readCursor(cursor, fingerprintOf(queryText), input);
  const point = from ? null : await resolvePoint(context, input.at);
  const past = from?.revision ?? point;
  const arrivedAt = clock.now;
  const cover = await fence.cover(past === null ? undefined : collection);
  if (past !== null) requireReadable(collection, cover, { from: from?.revision ?? null, point });
  const name = `${queryText} ${limit} ${point ?? ''} ${cursor ?? ''}`;
  const wanted: WantedPage = { name, input, queryText, from, point };
  const kept = cache.get(name);
  const shown =
    kept?.type === 'page'
      ? showPage(kept, past ?? cache.revision)
      : (await loadPage(context, wanted, cover.head)).shown;
  const { sentAt, head } = cover;
  context.reads.onServed?.({ arrivedAt, sentAt, head, revision: shown.revision, isPast: past !== null });
  return shown;
}

/** @throws DiptychError when the past that is asked for has not come, or has gone */
function requireReadable(
  collection: string,
  { head, collections }: Cover,
  { from, point }: { from: number | null; point: number | null },
): void {
  if (point !== null) requireReached(point, head);
  if (from !== null && from > head) throw cursorInvalid();
  const covered = collections.get(collection);
  if (covered === undefined) throw collectionNotFound(collection).asOf(head);
  const revision = from ?? point ?? head;
  if (revision < covered.horizon) throw revisionCompacted(collection, revision, covered.horizon).asOf(head);
}
