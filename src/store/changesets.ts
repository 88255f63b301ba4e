import type {
  ChangesetState,
  ChangesetValidation,
  ListedChangeset,
  MemberContent,
  ScheduleRefusal,
  StoredChangeset,
} from '../domain/changeset.js';
import { DiptychError } from '../domain/errors.js';
import { changesetBusy } from '../domain/refusals.js';
import { sqlState } from './database-errors.js';
import type { Executor, Tx } from './db.js';

/** A changeset under lock: nobody edits it or changes its state until the transaction ends. */
export interface LockedChangeset {
  id: string;
  state: ChangesetState;
  title: string;
  message: string | null;
  edit: number;
  commitAt: Date | null;
}

/** How long a call waits for another that edits the same changeset, in milliseconds, holding a connection. */
const patienceMs = 1_000;

/** SQLSTATE of a lock that did not come in time. */
const lockNotAvailable = '55P03';

/**
 * Locks a changeset; null when there is none. Locked first and read as it is by then.
 *
 * @throws DiptychError `changeset-busy` while a long call edits it: many that waited would take all connections
 */
export async function lockChangeset(tx: Tx, id: string): Promise<LockedChangeset | null> {
  tx.send(`SET LOCAL lock_timeout = ${patienceMs}`);
  const locked = tx.query(`SELECT id FROM changeset WHERE id = $1 FOR UPDATE`, [id]);
  tx.send(`SET LOCAL lock_timeout = DEFAULT`);
  try {
    // Sent together: what fails because the lock did not come is told of after it.
    const [, changeset] = await Promise.all([locked, readLockedChangeset(tx, id)]);
    return changeset;
  } catch (error) {
    if (error instanceof DiptychError && sqlState(error.cause) === lockNotAvailable) throw changesetBusy(id);
    throw error;
  }
}

/** A changeset that this transaction has locked already. */
export async function readLockedChangeset(tx: Tx, id: string): Promise<LockedChangeset | null> {
  const [row] = await tx.query<LockedChangeset>(
    `SELECT id, state, title, message, edit, commit_at AS "commitAt" FROM changeset WHERE id = $1`,
    [id],
  );
  return row ?? null;
}

/**
 * Locks those of several changesets that nobody is editing at this moment, and answers them: whoever holds the
 * head's lock waits for no edit, which may take long.
 */
export async function lockFreeChangesets(tx: Tx, ids: string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await tx.query<{ id: string }>(
    `SELECT id FROM changeset WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE SKIP LOCKED`,
    [ids],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Counts edits of a locked changeset: its entity tag changes, and approvals are void. */
export function countChangesetEdit(tx: Tx, id: string, edits = 1): void {
  tx.send(`UPDATE changeset SET edit = edit + $2::integer WHERE id = $1`, [id, edits]);
}

/** Adds an open changeset; answers its id. */
export async function insertChangeset(
  tx: Tx,
  changeset: { title: string; message: string | null; createdBy: string },
): Promise<string> {
  const { title, message, createdBy } = changeset;
  const [row] = await tx.query<{ id: string }>(
    `INSERT INTO changeset (title, message, created_by) VALUES ($1, $2, $3) RETURNING id`,
    [title, message, createdBy],
  );
  if (row === undefined) throw new Error('an insert without a row');
  return row.id;
}

/** Schedules a locked changeset, or schedules it anew; answers false where the moment is past by the database's clock. */
export async function scheduleChangeset(
  tx: Tx,
  id: string,
  schedule: { commitAt: Date; by: string },
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE changeset SET state = 'scheduled', commit_at = $2, scheduled_by = $3, scheduled_at = clock_timestamp(), refusal = NULL
     WHERE id = $1 AND $2 > clock_timestamp() RETURNING id`,
    [id, schedule.commitAt, schedule.by],
  );
  return rows.length > 0;
}

/** Opens a locked changeset that was scheduled; `refusal` says why, when it could not be committed. */
export async function unscheduleChangeset(
  tx: Tx,
  id: string,
  refusal: ScheduleRefusal | null,
): Promise<void> {
  await tx.query(
    `UPDATE changeset SET state = 'open', commit_at = NULL, scheduled_by = NULL, scheduled_at = NULL, refusal = $2
     WHERE id = $1 AND state = 'scheduled'`,
    [id, refusal && JSON.stringify(refusal)],
  );
}

/** A schedule whose moment has come. */
export interface DueChangeset {
  id: string;
  commitAt: Date;
  scheduledBy: string;
  /** Why it could not be carried out so far; it is to be tried again. */
  refusal: ScheduleRefusal | null;
}

/** Scheduled changesets whose moment has come by the database's clock, the longest due first. */
export function listDueChangesets(executor: Executor, limit: number): Promise<DueChangeset[]> {
  return executor.query(
    `SELECT id, commit_at AS "commitAt", scheduled_by AS "scheduledBy", refusal FROM changeset
     WHERE state = 'scheduled' AND commit_at <= statement_timestamp()
       AND coalesce((refusal ->> 'retryAt')::timestamptz <= clock_timestamp(), true)
     ORDER BY commit_at, ordinal LIMIT $1`,
    [limit],
  );
}

/** Ends changesets; the database refuses while they hold anything. That is no edit: what was approved stays so. */
export function closeChangesets(
  tx: Tx,
  closed: { id: string; state: 'committed' | 'discarded'; by: string }[],
): void {
  tx.send(
    `UPDATE changeset SET state = closed.state, closed_by = closed.by, closed_at = clock_timestamp()
     FROM unnest($1::uuid[], $2::text[], $3::text[]) AS closed (id, state, by) WHERE changeset.id = closed.id`,
    [closed.map(({ id }) => id), closed.map(({ state }) => state), closed.map(({ by }) => by)],
  );
}

/** Keeps the outcome of a validation, unless the changeset has been edited since. */
export async function updateChangesetValidation(
  tx: Tx,
  id: string,
  validation: ChangesetValidation,
): Promise<void> {
  await tx.query(
    `UPDATE changeset SET validation = $2 WHERE id = $1 AND edit = $3 AND state IN ('open', 'scheduled')`,
    [id, JSON.stringify(validation), validation.edit],
  );
}

/** Where a changeset stands: its state, and how often what it holds has been edited. */
export async function findChangesetEdit(
  executor: Executor,
  id: string,
): Promise<{ state: ChangesetState; edit: number } | null> {
  const [row] = await executor.query<{ state: ChangesetState; edit: number }>(
    `SELECT state, edit FROM changeset WHERE id = $1`,
    [id],
  );
  return row ?? null;
}

/** @param from changesets, as `s` */
const selectChangeset = (from: string, memberCount: string) => `
  SELECT s.id, s.title, s.message, s.state, s.created_by AS "createdBy", s.created_at AS "createdAt", s.ordinal, s.edit,
         s.validation,
         s.state IN ('committed', 'discarded') OR NOT EXISTS (
           SELECT FROM jsonb_array_elements_text(s.validation -> 'definitionIds') AS used (id)
           WHERE NOT EXISTS (SELECT FROM definition d JOIN collection c ON c.definition_id = d.id WHERE d.id = used.id::bigint)
         ) AS "definitionsHold",
         s.commit_at AS "commitAt", s.scheduled_by AS "scheduledBy", s.scheduled_at AS "scheduledAt",
         s.refusal, s.closed_by AS "closedBy", s.closed_at AS "closedAt", k.revision,
         coalesce(k.change_count, ${memberCount}) AS "memberCount",
         coalesce((SELECT json_agg(json_build_object('approver', a.approver, 'approvedAt', a.approved_at, 'message', a.message,
                                                     'digest', encode(a.digest, 'hex'), 'edit', a.edit)
                                   ORDER BY a.approved_at DESC, a.approver)
                   FROM approval a WHERE a.changeset_id = s.id), '[]') AS approvals
  FROM ${from} LEFT JOIN commit k ON k.changeset_id = s.id`;

const allMembers = `(SELECT count(*) FROM version v WHERE v.changeset_id = s.id AND v.revision IS NULL)`;

/** In a list no more are counted than this. */
const countedMembers = 1_000;

const fewMembers = `(
  SELECT CASE WHEN count(*) <= ${countedMembers} THEN count(*) END
  FROM (SELECT FROM version v WHERE v.changeset_id = s.id AND v.revision IS NULL LIMIT ${countedMembers} + 1) AS counted)`;

/** One changeset, or null. */
export async function findChangeset(executor: Executor, id: string): Promise<StoredChangeset | null> {
  return (
    (
      await executor.query<StoredChangeset>(`${selectChangeset('changeset s', allMembers)} WHERE s.id = $1`, [
        id,
      ])
    )[0] ?? null
  );
}

/** Changesets, newest first, below an ordinal. */
export function listChangesets(
  executor: Executor,
  range: { state: ChangesetState | null; below: number | null; limit: number },
): Promise<ListedChangeset[]> {
  const { state, below, limit } = range;
  const page = `
    SELECT * FROM changeset WHERE ordinal < coalesce($1::bigint, ${Number.MAX_SAFE_INTEGER}) ${state === null ? '' : 'AND state = $3'}
    ORDER BY ordinal DESC LIMIT $2`;
  const text = `${selectChangeset(`(${page}) AS s`, fewMembers)} ORDER BY s.ordinal DESC`;
  // Planned for the state that is asked for, because it may be that of few, or of nearly all.
  return state === null
    ? executor.query(text, [below, limit])
    : executor.queryOnce(text, [below, limit, state]);
}

/** Whether there is such a changeset. */
export async function hasChangeset(executor: Executor, id: string): Promise<boolean> {
  return (await executor.query(`SELECT FROM changeset WHERE id = $1`, [id])).length > 0;
}

/** Where a member of a changeset is, in the order in which members were staged. */
export interface MemberRow {
  /** Of the pending version. */
  id: number;
  recordId: number;
  collection: string;
  key: string;
}

/** A batch of members carries at most this many bytes of content, or one member. */
const maxBatchBytes = 8 * 1024 * 1024;

/** The next members after an id: fewer than `limit` where they are large, none at the end. */
export function listMembers(
  executor: Executor,
  changesetId: string,
  after: number,
  limit: number,
): Promise<MemberRow[]> {
  return executor.query(
    `SELECT id, "recordId", collection, key
     FROM (
       SELECT v.id, r.id AS "recordId", c.name AS collection, r.key,
              sum(coalesce(octet_length(v.content), 0) + coalesce(octet_length(k.content), 0)) OVER (ORDER BY v.id)
                - coalesce(octet_length(v.content), 0) - coalesce(octet_length(k.content), 0) AS bytes_before
       FROM (SELECT id, record_id, content FROM version WHERE changeset_id = $1 AND revision IS NULL AND id > $2 ORDER BY id LIMIT $3) AS v
       JOIN record r ON r.id = v.record_id
       JOIN collection c ON c.id = r.collection_id
       LEFT JOIN version k ON k.id = r.current_version_id
     ) AS member
     WHERE bytes_before < ${maxBatchBytes} ORDER BY id`,
    [changesetId, after, limit],
  );
}

/** What the digest of a changeset is made of. */
export function listMemberContents(executor: Executor, changesetId: string): Promise<MemberContent[]> {
  return executor.query(
    `SELECT c.name AS collection, r.key, v.operation, encode(v.digest, 'hex') AS digest
     FROM version v JOIN record r ON r.id = v.record_id JOIN collection c ON c.id = r.collection_id
     WHERE v.changeset_id = $1 AND v.revision IS NULL`,
    [changesetId],
  );
}

/** Notes why a schedule could not be carried out yet; it stays scheduled. */
export async function postponeChangeset(tx: Tx, due: DueChangeset, refusal: ScheduleRefusal): Promise<void> {
  await tx.query(
    `UPDATE changeset SET refusal = $3 WHERE id = $1 AND state = 'scheduled' AND commit_at = $2`,
    [due.id, due.commitAt, JSON.stringify(refusal)],
  );
}

/**
 * Throws all members of a locked changeset away, and the records that only ever were prepared in it. Those that
 * readers see are not locked: nobody has to wait for the end of a large changeset.
 */
export async function deleteMembers(tx: Tx, changesetId: string): Promise<void> {
  const records = await tx.query<{ id: number }>(
    `SELECT r.id FROM record r
     WHERE r.id IN (SELECT record_id FROM version WHERE changeset_id = $1 AND revision IS NULL) AND r.revision IS NULL
     ORDER BY r.id FOR UPDATE`,
    [changesetId],
  );
  await tx.query(`DELETE FROM version WHERE changeset_id = $1 AND revision IS NULL`, [changesetId]);
  await tx.query(
    `DELETE FROM record r WHERE r.id = ANY ($1::bigint[]) AND r.revision IS NULL
       AND NOT EXISTS (SELECT FROM version v WHERE v.record_id = r.id)`,
    [records.map(({ id }) => id)],
  );
}
