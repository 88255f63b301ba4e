import type { Executor } from './db.js';

/** A live record that holds a value which another, with a smaller id, holds too. */
const liveRivals = `
  SELECT v.record_id, v.rule, first.record_id AS other_id
  FROM assessed_value v
  JOIN (
    SELECT rule, digest, min(record_id) AS record_id FROM assessed_value WHERE pending_id = 0
    GROUP BY rule, digest HAVING count(*) > 1
  ) AS first ON first.rule = v.rule AND first.digest = v.digest
  WHERE v.pending_id = 0 AND v.record_id <> first.record_id`;

/** A reference of a live record that leads to no live record. */
const liveDangling = `
  SELECT f.record_id, f.rule, f.key FROM assessed_reference f LEFT JOIN record t ON t.id = f.target_id
  WHERE f.pending_id = 0 AND t.live IS NOT TRUE`;

/** A value claimed by a pending version which a live record keeps that is not of its party, or an earlier member claims. */
const pendingRivals = `
  WITH held AS (
    SELECT rule, digest, count(*) AS holders FROM assessed_value WHERE pending_id = 0 GROUP BY rule, digest
  ), given_up AS (
    SELECT m.party, v.rule, v.digest, count(*) AS holders
    FROM assessed_member m JOIN assessed_value v ON v.pending_id = 0 AND v.record_id = m.record_id
    GROUP BY m.party, v.rule, v.digest
  ), claim AS (
    SELECT pending_id, party, rule, digest, first_value(pending_id) OVER (PARTITION BY party, rule, digest ORDER BY pending_id) AS first_id
    FROM assessed_value WHERE pending_id <> 0
  )
  SELECT claim.pending_id, claim.rule, claim.digest, claim.party, claim.first_id
  FROM claim LEFT JOIN held USING (rule, digest) LEFT JOIN given_up USING (party, rule, digest)
  WHERE claim.first_id <> claim.pending_id OR coalesce(held.holders, 0) > coalesce(given_up.holders, 0)`;

/** A reference of a pending version that would lead to no live record once its party is committed. */
const pendingDangling = `
  SELECT f.pending_id, f.rule, f.key
  FROM assessed_reference f
  LEFT JOIN assessed_member m ON m.party = f.party AND m.record_id = f.target_id
  LEFT JOIN record t ON t.id = f.target_id
  WHERE f.pending_id <> 0 AND coalesce(NOT m.deletes, t.live) IS NOT TRUE`;

/** A deletion of what a live record refers to that is not of its party; $1 is the collection, $2 the pointers of references that stay in force. */
const pendingReferred = `
  SELECT m.pending_id, referrer.record_id AS other_id, referrer.pointer
  FROM assessed_member m
  JOIN record r ON r.id = m.record_id AND r.collection_id = $1
  CROSS JOIN LATERAL (
    SELECT f.source_record_id AS record_id, f.pointer FROM reference f JOIN record s ON s.id = f.source_record_id
    WHERE f.target_record_id = m.record_id AND (s.collection_id <> $1 OR f.pointer = ANY ($2::text[]))
    UNION ALL
    SELECT a.record_id, ($3::text[])[a.rule + 1] FROM assessed_reference a
    WHERE a.pending_id = 0 AND a.target_id = m.record_id
  ) AS referrer
  WHERE m.deletes
    AND NOT EXISTS (SELECT FROM assessed_member o WHERE o.party = m.party AND o.record_id = referrer.record_id)`;

/** A sample of live records that break the definition, and how many there are. */
export async function findBrokenLive(
  executor: Executor,
  limit: number,
): Promise<{ failing: number; recordIds: number[] }> {
  const [row] = await executor.query<{ failing: number; recordIds: number[] }>(
    `WITH broken AS MATERIALIZED (
       SELECT record_id FROM assessed_failure WHERE pending_id = 0
       UNION SELECT record_id FROM (${liveRivals}) AS rivals
       UNION SELECT record_id FROM (${liveDangling}) AS dangling
     )
     SELECT (SELECT count(*) FROM broken) AS failing,
            ARRAY(SELECT record_id FROM broken JOIN record r ON r.id = record_id ORDER BY r.key LIMIT $1)::float8[] AS "recordIds"`,
    [limit],
  );
  if (row === undefined) throw new Error('count without a row');
  return row;
}

/** The references that pending deletions are held against. */
export interface Referring {
  collectionId: number;
  /** Pointers, into records of the collection, of references to itself that are in force and stay so. */
  kept: string[];
  /** Pointers of all references of the new definition, by their place. */
  pointers: string[];
}

const referring = ({ collectionId, kept, pointers }: Referring) => [collectionId, kept, pointers];

/** A sample of pending versions that break the definition, and how many there are. */
export async function findBrokenPending(
  executor: Executor,
  references: Referring,
  limit: number,
): Promise<{ failing: number; pendingIds: number[] }> {
  const [row] = await executor.query<{ failing: number; pendingIds: number[] }>(
    `WITH broken AS MATERIALIZED (
       SELECT pending_id FROM assessed_failure WHERE pending_id <> 0
       UNION SELECT pending_id FROM (${pendingRivals}) AS rivals
       UNION SELECT pending_id FROM (${pendingDangling}) AS dangling
       UNION SELECT pending_id FROM (${pendingReferred}) AS referred
     )
     SELECT (SELECT count(*) FROM broken) AS failing,
            ARRAY(SELECT pending_id FROM broken ORDER BY pending_id LIMIT $4)::float8[] AS "pendingIds"`,
    [...referring(references), limit],
  );
  if (row === undefined) throw new Error('count without a row');
  return row;
}

/** Why an owner is broken across records: `other` is the key of the record that holds a value, or refers to it. */
export interface Break {
  ownerId: number;
  kind: 'unique' | 'reference' | 'referenced';
  /** The place of the rule in the definition. */
  rule: number | null;
  /** Of `reference`: the key that leads nowhere. */
  key: string | null;
  other: string | null;
  /** Of `referenced`: who refers, and where. */
  collection: string | null;
  pointer: string | null;
}

const none = 'NULL::text';

/** Why these live records are broken across records. */
export function explainLive(executor: Executor, recordIds: number[]): Promise<Break[]> {
  return executor.query(
    `SELECT v.record_id AS "ownerId", 'unique' AS kind, v.rule, ${none} AS key, r.key AS other, ${none} AS collection, ${none} AS pointer
     FROM (${liveRivals}) AS v JOIN record r ON r.id = v.other_id WHERE v.record_id = ANY ($1)
     UNION
     SELECT f.record_id, 'reference', f.rule, f.key, NULL, NULL, NULL FROM (${liveDangling}) AS f WHERE f.record_id = ANY ($1)`,
    [recordIds],
  );
}

/** Why these pending versions are broken across records. */
export function explainPending(
  executor: Executor,
  references: Referring,
  pendingIds: number[],
): Promise<Break[]> {
  return executor.query(
    `SELECT claim.pending_id AS "ownerId", 'unique' AS kind, claim.rule, ${none} AS key, coalesce(holder.key, first.key) AS other,
            ${none} AS collection, ${none} AS pointer
     FROM (${pendingRivals}) AS claim
     LEFT JOIN LATERAL (
       SELECT r.key FROM assessed_value h JOIN record r ON r.id = h.record_id
       WHERE h.pending_id = 0 AND h.rule = claim.rule AND h.digest = claim.digest
         AND NOT EXISTS (SELECT FROM assessed_member m WHERE m.party = claim.party AND m.record_id = h.record_id)
       LIMIT 1
     ) AS holder ON true
     LEFT JOIN LATERAL (
       SELECT r.key FROM version v JOIN record r ON r.id = v.record_id WHERE v.id = claim.first_id
     ) AS first ON true
     WHERE claim.pending_id = ANY ($4)
     UNION
     SELECT f.pending_id, 'reference', f.rule, f.key, NULL, NULL, NULL FROM (${pendingDangling}) AS f WHERE f.pending_id = ANY ($4)
     UNION
     (SELECT d.pending_id, 'referenced', NULL, NULL, s.key, c.name, d.pointer
      FROM (${pendingReferred}) AS d JOIN record s ON s.id = d.other_id JOIN collection c ON c.id = s.collection_id
      WHERE d.pending_id = ANY ($4) LIMIT 200)`,
    [...referring(references), pendingIds],
  );
}
