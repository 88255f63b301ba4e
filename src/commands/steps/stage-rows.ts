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

/** A row of one of several calls that are staged together. */
interface SentRow {
  row: WantedRow;
  author: string;
  /** Among all rows of all calls. */
  position: number;
}

/**
 * Those of these calls that can be staged together: of the changeset and the collection of the first, and of no
 * record that one before them is about.
 */
export function takeTogether(requests: IngestRequest[]): Set<IngestRequest> {
  const [first] = requests;
  const taken = new Set<IngestRequest>();
  const named = new Set<string>();
  for (const request of requests) {
    if (request.changeset !== first?.changeset || request.collection !== first.collection) continue;
    if (!request.rows.some(({ key }) => named.has(key))) taken.add(request);
    // Also of one that is passed over: those behind it must not overtake it.
    for (const { key } of request.rows) named.add(key);
  }
  return taken;
}

/**
 * Stages rows of one collection, each of another record, over whatever is pending there. Locks in the order that
 * commits keep to: the collection, the records that exist by their ids, those that are new by their keys. To lock one
 * that has just been made by somebody else would break it, so the transaction is begun anew instead.
 *
 * @param at of all these calls
 * @param calls the rows of each
 * @returns what became of each call
 * @throws DiptychError `collection-not-found`, or what stands against an edit of the changeset
 * @throws Overtaken
 */
export async function stageRows(
  tx: Tx,
  { collection, changeset }: Pick<IngestRequest, 'collection' | 'changeset'>,
  calls: Pick<IngestRequest, 'rows' | 'author'>[],
): Promise<Ingested[]> {
  const sent = calls
    .flatMap(({ rows, author }) => rows.map((row) => ({ row, author })))
    .map((each, position) => ({ ...each, position }));
  // The changeset first: whoever waits for one must not hold the collection, for which a definition waits.
  if (changeset !== null) await lockOpenChangeset(tx, changeset);
  const collectionId = (await lockCollections(tx, [collection])).get(collection);
  if (collectionId === undefined) throw collectionNotFound(collection);
  const standings = await lockRowStandings(
    tx,
    { collectionId, changesetId: changeset },
    sent.map(({ row }) => row.key),
  );
  const plan = planRows(sent, new Map(standings.map((standing) => [standing.key, standing])));
  const fresh = await makeRecords(tx, collectionId, plan.fresh);
  const outcomes = calls.map(({ rows }) => ({
    changed: new Set(rows.flatMap(({ key }) => (plan.changed.has(key) ? [key] : []))),
  }));
  // Members are listed in the order of their rows.
  const added = [...plan.added, ...fresh]
    .sort((a, b) => a.sent.position - b.sent.position)
    .map(({ sent, recordId, baseVersionId }) => ({ ...toContent(sent), recordId, baseVersionId }));
  const replaced = plan.replaced.map(({ sent, id }) => ({ ...toContent(sent), id, resolutions: [] }));
  // Sent together, in this order.
  if (added.length > 0) insertPendings(tx, { changesetId: changeset }, added);
  const updating = replaced.length === 0 ? [] : updatePendings(tx, {}, replaced);
  if (plan.discarded.length > 0) {
    deletePending(
      tx,
      plan.discarded.map(({ id }) => id),
    );
    deleteEmptyRecords(
      tx,
      plan.discarded.map(({ recordId }) => recordId),
    );
  }
  const edits = outcomes.filter(({ changed }) => changed.size > 0).length;
  if (changeset !== null && edits > 0) countChangesetEdit(tx, changeset, edits);
  const [{ revision }, updated] = await Promise.all([findHead(tx), updating]);
  if (updated.length < replaced.length) throw new Error('a row that was not written');
  return outcomes.map(({ changed }) => ({ changed, revision }));
}

const toContent = ({ row, author }: SentRow) => ({
  content: row.action === 'upsert' ? row.content.content : null,
  digest: digestOf(row),
  message: null,
  author,
});

const digestOf = (row: WantedRow) => (row.action === 'upsert' ? row.content.digest : null);

interface RowPlan {
  /** Rows whose record does not exist yet. */
  fresh: SentRow[];
  added: { sent: SentRow; recordId: number; baseVersionId: number | null }[];
  replaced: { sent: SentRow; id: number }[];
  discarded: { id: number; recordId: number }[];
  changed: Set<string>;
}

function planRows(rows: SentRow[], standings: Map<string, RowStandingRow>): RowPlan {
  const plan: RowPlan = { fresh: [], added: [], replaced: [], discarded: [], changed: new Set() };
  for (const sent of rows) {
    const { key } = sent.row;
    const standing = standings.get(key);
    const { pendingId: id = null, pendingOperation: operation = null } = standing ?? {};
    const decision = decideRow(digestOf(sent.row), {
      currentDigest: standing?.currentDigest ?? null,
      pending: operation && { operation, digest: standing?.pendingDigest ?? null },
    });
    if (decision === 'unchanged') continue;
    plan.changed.add(key);
    if (standing === undefined) plan.fresh.push(sent);
    else if (id === null)
      plan.added.push({ sent, recordId: standing.recordId, baseVersionId: standing.currentVersionId });
    else if (decision === 'discard') plan.discarded.push({ id, recordId: standing.recordId });
    else plan.replaced.push({ sent, id });
  }
  return plan;
}

/** Lets the records exist that are staged for the first time. @throws Overtaken */
async function makeRecords(tx: Tx, collectionId: number, rows: SentRow[]): Promise<RowPlan['added']> {
  if (rows.length === 0) return [];
  const wanted = rows.map(({ row: { key } }) => ({ collectionId, key }));
  const made = await insertFreshRecords(tx, wanted, true);
  if (made.length < rows.length) throw new Overtaken();
  const idOf = new Map(made.map(({ key, id }) => [key, id]));
  return rows.map((sent) => {
    const recordId = idOf.get(sent.row.key);
    if (recordId === undefined) throw new Error('a record was made by another key');
    return { sent, recordId, baseVersionId: null };
  });
}
