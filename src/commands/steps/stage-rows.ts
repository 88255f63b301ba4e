import type { WantedRow } from '../../domain/ingest-report.js';
import { decideRow } from '../../domain/ingest-row.js';
import { collectionNotFound } from '../../domain/refusals.js';
import { countChangesetEdit } from '../../store/changesets.js';
import { lockCollections } from '../../store/collections.js';
import type { Tx } from '../../store/db.js';
import { findHead } from '../../store/head.js';
import { lockRowStandings, type RowStandingRow } from '../../store/ingest.js';
import { insertFreshRecords, insertPendings, updatePendings } from '../../store/pending-edits.js';
import { deleteEmptyRecords } from '../../store/records.js';
import { deletePending } from '../../store/versions.js';
import { lockOpenChangeset } from './lock-changeset.js';

/** Rows of one call, each of another record, which are staged together or not at all. */
export interface IngestRequest {
  collection: string;
  changeset: string | null;
  rows: WantedRow[];
  author: string;
}

/** What became of them. */
export interface Ingested {
  /** Keys of the records whose pending version was made, replaced or discarded. */
  changed: Set<string>;
  revision: number;
}

/** Somebody else was faster to make one of the records, so that all has to be looked at anew. */
export class Overtaken extends Error {}

/**
 * Stages rows, each of another record, over whatever is pending there. Locks in the order that commits keep to: the
 * collection, the records that exist by their ids, those that are new by their keys. To lock one that has just been
 * made by somebody else would break it, so the transaction is begun anew instead.
 *
 * @throws DiptychError `collection-not-found`, or what stands against an edit of the changeset
 * @throws Overtaken
 */
export async function stageRows(tx: Tx, request: IngestRequest): Promise<Ingested> {
  const { collection, changeset, rows, author } = request;
  // The changeset first: whoever waits for one must not hold the collection, for which a definition waits.
  if (changeset !== null) await lockOpenChangeset(tx, changeset);
  const collectionId = (await lockCollections(tx, [collection])).get(collection);
  if (collectionId === undefined) throw collectionNotFound(collection);
  const standings = await lockRowStandings(
    tx,
    { collectionId, changesetId: changeset },
    rows.map(({ key }) => key),
  );
  const plan = planRows(rows, new Map(standings.map((standing) => [standing.key, standing])));
  const fresh = await makeRecords(tx, collectionId, plan.fresh);
  const toContent = ({ row }: { row: WantedRow }) => ({
    content: row.action === 'upsert' ? row.content.content : null,
    digest: digestOf(row),
    message: null,
    author,
  });
  // Members are listed in the order of their rows.
  const added = [...plan.added, ...fresh]
    .sort((a, b) => a.row.row - b.row.row)
    .map((each) => ({
      ...toContent(each),
      recordId: each.recordId,
      baseVersionId: each.baseVersionId,
    }));
  const replaced = plan.replaced.map((each) => ({ ...toContent(each), id: each.id, resolutions: [] }));
  // Sent together, in this order.
  const writes: Promise<unknown>[] = [];
  if (added.length > 0) writes.push(insertPendings(tx, changeset, added));
  if (replaced.length > 0) writes.push(updatePendings(tx, replaced));
  if (plan.discarded.length > 0) {
    deletePending(
      tx,
      plan.discarded.map(({ id }) => id),
    );
    writes.push(
      deleteEmptyRecords(
        tx,
        plan.discarded.map(({ recordId }) => recordId),
      ),
    );
  }
  if (changeset !== null && plan.changed.size > 0) writes.push(countChangesetEdit(tx, changeset));
  const head = findHead(tx);
  await Promise.all(writes);
  return { changed: plan.changed, revision: (await head).revision };
}

const toAddresses = (collectionId: number, rows: WantedRow[]) =>
  rows.map(({ key }) => ({ collectionId, key }));

const digestOf = (row: WantedRow) => (row.action === 'upsert' ? row.content.digest : null);

interface RowPlan {
  /** Rows whose record does not exist yet. */
  fresh: WantedRow[];
  added: { row: WantedRow; recordId: number; baseVersionId: number | null }[];
  replaced: { row: WantedRow; id: number }[];
  discarded: { id: number; recordId: number }[];
  changed: Set<string>;
}

function planRows(rows: WantedRow[], standings: Map<string, RowStandingRow>): RowPlan {
  const plan: RowPlan = { fresh: [], added: [], replaced: [], discarded: [], changed: new Set() };
  for (const row of rows) {
    const standing = standings.get(row.key);
    const { pendingId: id = null, pendingOperation: operation = null } = standing ?? {};
    const decision = decideRow(digestOf(row), {
      currentDigest: standing?.currentDigest ?? null,
      pending: operation && { operation, digest: standing?.pendingDigest ?? null },
    });
    if (decision === 'unchanged') continue;
    plan.changed.add(row.key);
    if (standing === undefined) plan.fresh.push(row);
    else if (id === null)
      plan.added.push({ row, recordId: standing.recordId, baseVersionId: standing.currentVersionId });
    else if (decision === 'discard') plan.discarded.push({ id, recordId: standing.recordId });
    else plan.replaced.push({ row, id });
  }
  return plan;
}

/** Lets the records exist that are staged for the first time. @throws Overtaken */
async function makeRecords(tx: Tx, collectionId: number, rows: WantedRow[]): Promise<RowPlan['added']> {
  if (rows.length === 0) return [];
  const made = await insertFreshRecords(tx, toAddresses(collectionId, rows), true);
  if (made.length < rows.length) throw new Overtaken();
  const idOf = new Map(made.map(({ key, id }) => [key, id]));
  return rows.map((row) => {
    const recordId = idOf.get(row.key);
    if (recordId === undefined) throw new Error('a record was made by another key');
    return { row, recordId, baseVersionId: null };
  });
}
