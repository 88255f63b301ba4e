import type { Executor, Tx } from './db.js';
import { unseen } from './kept-plans.js';

export interface RecordAddress {
  collectionId: number;
  key: string;
}

/** A record with its current version. */
export interface RecordRow extends RecordAddress {
  id: number;
  /** The revision at which the record last changed; null while it has only ever been prepared. */
  revision: number | null;
  currentVersionId: number | null;
  currentNumber: number | null;
  currentContent: string | null;
  currentDigest: Buffer | null;
  /** The highest version number ever given; 0 if none. */
  lastNumber: number;
}

/** Alias r: the records at the addresses in $1 and $2. */
export const wantedRecords = `
  unnest($1::bigint[], $2::text[]) AS wanted (collection_id, key)
  JOIN record r ON r.collection_id = wanted.collection_id AND r.key = wanted.key`;

const recordColumns = `
  SELECT r.id, r.collection_id AS "collectionId", r.key, r.revision, r.current_version_id AS "currentVersionId",
         v.number AS "currentNumber", v.content AS "currentContent", v.digest AS "currentDigest",
         coalesce((SELECT max(n.number) FROM version n WHERE n.record_id = r.id), 0) AS "lastNumber"`;
const currentVersion = `LEFT JOIN version v ON v.id = r.current_version_id`;

/** The parameters $1 and $2 of these addresses. */
export const addresses = (wanted: RecordAddress[]) => [
  wanted.map((address) => address.collectionId),
  wanted.map((address) => address.key),
];

/** The records at these addresses that exist, live or not. */
export function findRecords(executor: Executor, wanted: RecordAddress[]): Promise<RecordRow[]> {
  return executor.query(`${recordColumns} FROM ${wantedRecords} ${currentVersion}`, addresses(wanted));
}

/**
 * The same, locked in one order: nobody stages into them until the transaction ends. Locked first and read in
 * a statement of its own, which sees what a commit wrote that the lock had to wait for.
 */
export async function lockRecords(tx: Tx, wanted: RecordAddress[]): Promise<RecordRow[]> {
  const [, rows] = await Promise.all([lockAddressed(tx, wanted), findRecords(tx, wanted)]);
  return rows;
}

/** Where a record is, as callers say it. */
export interface RecordName {
  collection: string;
  key: string;
}

/** Names in $1 and keys in $2; materialized, so that each record is looked up by both parts of its index. */
const withWanted = `
  WITH wanted AS MATERIALIZED (
    SELECT c.id AS collection_id, name.key
    FROM unnest($1::text[], $2::text[]) AS name (collection, key) JOIN collection c ON c.name = name.collection
  )`;
const namedRecords = `wanted JOIN record r ON r.collection_id = wanted.collection_id AND r.key = wanted.key`;

const names = (wanted: RecordName[]) => [
  wanted.map((name) => name.collection),
  wanted.map((name) => name.key),
];

/** The same by the names of their collections, which need not be looked up first. */
export function findNamedRecords(executor: Executor, wanted: RecordName[]): Promise<RecordRow[]> {
  return executor.query(
    `${withWanted} ${recordColumns} FROM ${namedRecords} ${currentVersion}`,
    names(wanted),
  );
}

/**
 * The same, locked in one order, by whoever holds the head's lock: no commit can have been under way since this
 * statement began, so that it sees what is current even if it had to wait for an edit of what is pending.
 */
export function lockNamedRecords(tx: Tx, wanted: RecordName[]): Promise<RecordRow[]> {
  return tx.query(
    `${withWanted},
     locked AS MATERIALIZED (SELECT r.* FROM ${namedRecords} ORDER BY r.id FOR UPDATE OF r)
     ${recordColumns} FROM locked r ${currentVersion}`,
    names(wanted),
  );
}

/** Locks the records at these addresses in one order. What they are by then is for another statement to read. */
export async function lockAddressed(tx: Tx, wanted: RecordAddress[]): Promise<void> {
  await tx.query(`SELECT r.id FROM ${wantedRecords} ORDER BY r.id FOR UPDATE OF r`, addresses(wanted));
}

/** Where a record stands among its versions, without their content. */
export interface RecordStand {
  id: number;
  revision: number | null;
  currentVersionId: number | null;
  currentNumber: number | null;
  lastNumber: number;
}

/**
 * Locks many records in one order, and answers whether as many as there should be are there, and none has changed after
 * a revision. To be asked by whoever holds the head's lock.
 */
export async function lockUnmoved(
  tx: Tx,
  ids: number[],
  { count, revision }: { count: number; revision: number },
): Promise<boolean> {
  const [locked] = await tx.query<{ areUnmoved: boolean }>(
    `WITH locked AS MATERIALIZED (SELECT revision FROM record WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE)
     SELECT count(*) = $2::bigint AND coalesce(max(revision), 0) <= $3::bigint AS "areUnmoved" FROM locked`,
    // Numbers need no escaping.
    [`{${ids.join()}}`, count, revision],
  );
  return locked?.areUnmoved ?? false;
}

/** Many records by their ids, which must all be there, locked in one order by whoever holds the head's lock. */
export function lockStands(tx: Tx, ids: number[]): Promise<RecordStand[]> {
  return tx.query(
    `WITH locked AS MATERIALIZED (SELECT * FROM record WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE)
     SELECT r.id, r.revision, r.current_version_id AS "currentVersionId",
            (SELECT v.number FROM version v WHERE v.id = r.current_version_id) AS "currentNumber",
            coalesce((SELECT max(n.number) FROM version n WHERE n.record_id = r.id), 0) AS "lastNumber"
     FROM locked r`,
    [ids],
  );
}

/** Makes sure that the records exist and locks them; answers their ids, in no particular order. */
export function insertRecords(tx: Tx, wanted: RecordAddress[]): Promise<(RecordAddress & { id: number })[]> {
  return tx.query(
    `INSERT INTO record (collection_id, key)
     SELECT * FROM unnest($1::bigint[], $2::text[]) AS wanted (collection_id, key) ORDER BY collection_id, key COLLATE "C"
     ON CONFLICT (collection_id, key) DO UPDATE SET key = excluded.key
     RETURNING id, collection_id AS "collectionId", key`,
    addresses(wanted),
  );
}

/** Removes those of these records that were only ever prepared and have nothing pending any more. */
export function deleteEmptyRecords(tx: Tx, ids: number[]): void {
  tx.send(
    `DELETE FROM record r WHERE r.id = ANY (${unseen('$1', 'bigint[]')}) AND r.revision IS NULL
       AND NOT EXISTS (SELECT FROM version v WHERE v.record_id = r.id)`,
    [ids],
  );
}

/** Which of these addresses lead to live records. */
export function findLiveTargets(
  executor: Executor,
  wanted: { collection: string; key: string }[],
): Promise<{ id: number; collection: string; key: string }[]> {
  return executor.query(
    `SELECT r.id, c.name AS collection, r.key
     FROM unnest($1::text[], $2::text[]) AS wanted (name, key)
     JOIN collection c ON c.name = wanted.name AND c.definition_id IS NOT NULL
     JOIN record r ON r.collection_id = c.id AND r.key = wanted.key
     WHERE r.live`,
    [wanted.map((target) => target.collection), wanted.map((target) => target.key)],
  );
}
