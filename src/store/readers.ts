import { type StoredContent, withContents } from './archived.js';
import type { Executor } from './db.js';

/** A record in the state of some revision. */
export interface RecordStateRow {
  key: string;
  /** The revision at which it last changed, up to the one asked for. */
  revision: number;
  /** The version that was current; null when the record was deleted. */
  version: number | null;
  content: string | null;
  digest: Buffer | null;
  committedAt: Date;
  committedBy: string;
  message: string | null;
}

/** The name of a collection as it can be read at a revision: deleted ones only in the past. */
export interface ReadableCollection {
  id: number;
  inForce: boolean;
}

export async function findReadableCollection(
  executor: Executor,
  name: string,
): Promise<ReadableCollection | null> {
  const [row] = await executor.query<ReadableCollection>(
    `SELECT id, definition_id IS NOT NULL AS "inForce" FROM collection WHERE name = $1`,
    [name],
  );
  return row ?? null;
}

/** Alias `state` of a record `r`: what it was at revision `$n`; the history is read only where it moved since. */
const stateOf = (parameter: string) => `
  LATERAL (
    SELECT r.revision, r.current_version_id AS version_id WHERE r.revision <= ${parameter}
    UNION ALL
    (SELECT h.revision, h.after_version_id FROM change h
     WHERE r.revision > ${parameter} AND h.record_id = r.id AND h.revision <= ${parameter}
     ORDER BY h.revision DESC LIMIT 1)
  ) AS state`;

/** Joins to a record `r` the state at a revision. */
export const stateAt = (revision: string) => `CROSS JOIN ${stateOf(revision)}`;

/**
 * Alias `p` of a record `r`: its pending version in a changeset. One look-up by record for each, and never, as
 * planned from statistics that are older than a large changeset, a walk through all its members for each.
 */
export const memberOf = (changesetId: string) => `
  LATERAL (
    SELECT m.id, m.operation, m.content, m.digest, m.message FROM version m
    WHERE m.record_id = r.id AND m.changeset_id IS NOT DISTINCT FROM ${changesetId} AND m.number IS NULL AND m.revision IS NULL LIMIT 1
  ) AS p`;

/**
 * The same with a changeset laid over it: version `v` is the one that the changeset holds, `p`, where it holds
 * one, and that has no commit `k`.
 */
export const previewAt = (revision: string, changesetId: string) => `
  LEFT JOIN ${stateOf(revision)} ON true
  LEFT JOIN ${memberOf(changesetId)} ON true
  LEFT JOIN version v ON v.id = CASE WHEN p.id IS NULL THEN state.version_id ELSE p.id END
  LEFT JOIN commit k ON k.revision = state.revision AND p.id IS NULL`;

/** Of such a join: what comes from the changeset has no revision yet. */
export const previewColumns = `
  r.key, CASE WHEN p.id IS NULL THEN state.revision END AS revision, v.number AS version, v.content, v.digest,
  k.committed_at AS "committedAt", k.author AS "committedBy", CASE WHEN p.id IS NULL THEN k.message ELSE p.message END AS message,
  p.id IS NOT NULL AS pending`;

/** @param content what is to be read of it */
export const stateColumns = (content = 'v.content') => `
  r.key, state.revision, v.number AS version, ${content} AS content, v.digest,
  k.committed_at AS "committedAt", k.author AS "committedBy", k.message`;

/**
 * The revision that readers saw at a moment, 0 before the first; null when the moment is not over. Waits for
 * a commit that is being written, because its time may lie before the moment.
 */
export async function findRevisionAt(executor: Executor, time: Date): Promise<number | null> {
  const [row] = await executor.query<{ over: boolean; settled: boolean }>(
    `SELECT $1::timestamptz < date_trunc('milliseconds', clock_timestamp()) AS over, $1::timestamptz < committed_at AS settled FROM head`,
    [time],
  );
  if (!row?.over) return null;
  if (!row.settled) await executor.query(`SELECT revision FROM head FOR SHARE`);
  const [found] = await executor.query<{ revision: number }>(
    `SELECT revision FROM commit WHERE committed_at <= $1 ORDER BY committed_at DESC, revision DESC LIMIT 1`,
    [time],
  );
  return found?.revision ?? 0;
}

export interface VersionRow {
  id: number;
  version: number;
  revisions: number[];
  archived: boolean;
  /** Whether retention has removed its data for good. */
  deleted: boolean;
  digest: Buffer;
  committedAt: Date;
  committedBy: string;
  message: string | null;
  current: boolean;
}

/** What is known of a record and some of its committed versions, all of one snapshot. */
export interface RecordHistory<Row extends VersionRow> {
  head: number;
  /** Whether the collection has a definition. */
  inForce: boolean;
  /** Whether the record was ever committed. */
  isCommitted: boolean;
  rows: Row[];
}

type HistoryRow<Row extends VersionRow> = Omit<RecordHistory<Row>, 'rows'> & (Row | { version: null });

/**
 * A row without a version where there is none.
 *
 * @param versions those of a record `r` that are asked for, found by their numbers however many others it has
 */
const selectHistory = (versions: string, columns = '') => `
  SELECT head.revision AS head, c.definition_id IS NOT NULL AS "inForce", r.revision IS NOT NULL AS "isCommitted", found.*
  FROM head LEFT JOIN collection c ON c.name = $1 LEFT JOIN record r ON r.collection_id = c.id AND r.key = $2
  LEFT JOIN LATERAL (
    SELECT v.id, v.number AS version, v.archive IS NOT NULL AS archived, v.content IS NULL AND v.archive IS NULL AS deleted,
           v.digest, v.id = r.current_version_id IS TRUE AS current,
           ARRAY(SELECT h.revision FROM change h WHERE h.after_version_id = v.id ORDER BY h.revision)::float8[] AS revisions,
           k.committed_at AS "committedAt", k.author AS "committedBy", k.message${columns}
    FROM (${versions}) AS v JOIN commit k ON k.revision = v.revision
    WHERE c.definition_id IS NOT NULL
  ) AS found ON true
  ORDER BY found.version DESC`;

function toHistory<Row extends VersionRow>(found: HistoryRow<Row>[]): RecordHistory<Row> {
  const [first] = found;
  if (first === undefined) throw new Error('the head row is missing');
  const { head, inForce, isCommitted } = first;
  return {
    head,
    inForce,
    isCommitted,
    rows: found.flatMap((row) => (row.version === null ? [] : [row])),
  };
}

/** Committed versions, newest first, below a number; without their content, which may be large. */
export async function listVersions(
  executor: Executor,
  at: { collection: string; key: string; below: number | null; limit: number },
): Promise<RecordHistory<VersionRow>> {
  const page = `
    SELECT * FROM version WHERE record_id = r.id AND number < coalesce($3::integer, 2147483647) ORDER BY number DESC LIMIT $4`;
  const values = [at.collection, at.key, at.below, at.limit];
  return toHistory(await executor.query<HistoryRow<VersionRow>>(selectHistory(page), values));
}

/** Committed versions with these numbers, and their content: archived ones too, null for deleted ones. */
export async function findVersions(
  executor: Executor,
  at: { collection: string; key: string; numbers: number[] },
): Promise<RecordHistory<VersionRow & { content: string | null }>> {
  const wanted = `
    SELECT v.* FROM unnest($3::integer[]) AS wanted (number)
    CROSS JOIN LATERAL (SELECT * FROM version WHERE record_id = r.id AND number = wanted.number LIMIT 1) AS v`;
  const history = toHistory(
    await executor.query<HistoryRow<VersionRow & StoredContent>>(
      selectHistory(wanted, ', v.content, v.archive'),
      [at.collection, at.key, at.numbers],
    ),
  );
  return { ...history, rows: await withContents(history.rows) };
}
