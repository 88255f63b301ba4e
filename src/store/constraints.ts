import type { Executor, Tx } from './db.js';

/** A value that a live record holds and no other may: digest of the canonical JSON of its parts. */
export interface UniqueValueRow {
  collectionId: number;
  /** The pointers of the definition's list, as canonical JSON. */
  pointers: string;
  digest: Buffer;
  recordId: number;
}

export interface UniqueHolder extends UniqueValueRow {
  key: string;
}

/** Which live records hold these values. */
export function findUniqueHolders(
  executor: Executor,
  wanted: { collectionId: number; pointers: string; digest: Buffer }[],
): Promise<UniqueHolder[]> {
  return executor.query(
    `SELECT u.collection_id AS "collectionId", u.pointers, u.digest, u.record_id AS "recordId", r.key
     FROM unnest($1::bigint[], $2::text[], $3::bytea[]) AS wanted (collection_id, pointers, digest)
     JOIN unique_value u ON u.collection_id = wanted.collection_id AND u.pointers = wanted.pointers AND u.digest = wanted.digest
     JOIN record r ON r.id = u.record_id`,
    [
      wanted.map((value) => value.collectionId),
      wanted.map((value) => value.pointers),
      wanted.map((value) => value.digest),
    ],
  );
}

/** Replaces the unique values of these records. The deferred key lets values swap within a transaction. */
export function replaceUniqueValues(tx: Tx, recordIds: number[], values: UniqueValueRow[]): void {
  tx.send(`DELETE FROM unique_value WHERE record_id = ANY ($1)`, [recordIds]);
  insertUniqueValues(tx, values);
}

export function insertUniqueValues(tx: Tx, values: UniqueValueRow[]): void {
  if (values.length === 0) return;
  tx.send(
    `INSERT INTO unique_value (collection_id, pointers, digest, record_id)
     SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::bigint[])`,
    [
      values.map((value) => value.collectionId),
      values.map((value) => value.pointers),
      values.map((value) => value.digest),
      values.map((value) => value.recordId),
    ],
  );
}

/** A reference of a live record to another, under the pointer that the definition names. */
export interface ReferenceRow {
  sourceRecordId: number;
  pointer: string;
  targetRecordId: number;
}

/** A live record that refers to one that is to be deleted. */
export interface Referrer extends ReferenceRow {
  collection: string;
  key: string;
}

/** At most this many referrers of one record are named; the first is enough to refuse. */
const referrersPerTarget = 20;

/** Who refers to these records, but for the sources that `except` lists. */
export function findReferrers(
  executor: Executor,
  targetRecordIds: number[],
  except: number[],
): Promise<Referrer[]> {
  return executor.query(
    `SELECT found.*, c.name AS collection, r.key
     FROM unnest($1::bigint[]) AS target (id)
     CROSS JOIN LATERAL (
       SELECT f.source_record_id AS "sourceRecordId", f.pointer, f.target_record_id AS "targetRecordId"
       FROM reference f WHERE f.target_record_id = target.id AND f.source_record_id <> ALL ($2::bigint[]) LIMIT ${referrersPerTarget}
     ) AS found
     JOIN record r ON r.id = found."sourceRecordId" JOIN collection c ON c.id = r.collection_id`,
    [targetRecordIds, except],
  );
}

/** Replaces the references of these records. */
export function replaceReferences(tx: Tx, recordIds: number[], references: ReferenceRow[]): void {
  tx.send(`DELETE FROM reference WHERE source_record_id = ANY ($1)`, [recordIds]);
  insertReferences(tx, references);
}

export function insertReferences(tx: Tx, references: ReferenceRow[]): void {
  if (references.length === 0) return;
  tx.send(
    `INSERT INTO reference (source_record_id, pointer, target_record_id)
     SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[]) ON CONFLICT DO NOTHING`,
    [
      references.map((reference) => reference.sourceRecordId),
      references.map((reference) => reference.pointer),
      references.map((reference) => reference.targetRecordId),
    ],
  );
}
