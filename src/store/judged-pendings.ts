import type { StoredValidation } from '../domain/validation-state.js';
import type { Executor } from './db.js';
import { unseen } from './kept-plans.js';
import type { RecordName } from './pending-stands.js';
import type { PendingRow } from './versions.js';

/** Content that is read at once, in bytes, or that of one pending version. */
const maxBytes = 4 * 1024 * 1024;

/** The definition in force. */
export interface JudgedCollection {
  collectionId: number;
  definitionId: number;
  definitionNumber: number;
}

/** A pending version with the version that it would replace. */
export interface JudgedRow extends JudgedCollection {
  recordId: number;
  /** The revision at which the record last changed. */
  revision: number | null;
  /** The highest version number ever given; 0 if none. */
  lastNumber: number;
  currentVersionId: number | null;
  currentNumber: number | null;
  currentContent: string | null;
  currentDigest: Buffer | null;
  id: number;
  edit: number;
  operation: PendingRow['operation'];
  content: string | null;
  digest: Buffer | null;
  message: string | null;
  baseVersionId: number | null;
  baseNumber: number | null;
  validation: StoredValidation | null;
  /** Whether both contents are here: there is a bound on all of them together. */
  fits: boolean;
}

/** What is there of what was asked for: a pending version, nothing pending, or not even such a collection. */
export type JudgedLookup = JudgedRow | (JudgedCollection & { id: null }) | { collectionId: null; id: null };

const judgedColumns = `
  wanted.ordinal, head.revision AS head, c.id AS "collectionId", d.id AS "definitionId", d.number AS "definitionNumber",
  r.id AS "recordId", r.revision, k.id AS "currentVersionId", k.number AS "currentNumber", k.digest AS "currentDigest",
  coalesce((SELECT max(n.number) FROM version n WHERE n.record_id = r.id), 0) AS "lastNumber",
  p.id, p.edit, p.operation, p.digest, p.message, p.base_version_id AS "baseVersionId", b.number AS "baseNumber", p.validation`;

/**
 * The pending versions of these names, in their order, and the definitions in force: one statement, which shows one
 * moment by itself. Each record is looked up by itself, whatever the statistics are.
 *
 * @param wanted one at least
 */
export async function findJudged(
  executor: Executor,
  wanted: (RecordName & { changeset: string | null })[],
): Promise<{ revision: number; lookups: JudgedLookup[] }> {
  const rows = await executor.query<JudgedLookup & { head: number }>(
    `SELECT found.*, CASE WHEN fits THEN current_content END AS "currentContent", CASE WHEN fits THEN pending_content END AS content
     FROM (
       SELECT ${judgedColumns}, k.content AS current_content, p.content AS pending_content,
              coalesce(sum(coalesce(octet_length(k.content), 0) + coalesce(octet_length(p.content), 0))
                OVER (ORDER BY wanted.ordinal ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) < ${maxBytes} AS fits
       FROM head
       CROSS JOIN unnest(${unseen('$1', 'text[]')}, ${unseen('$2', 'text[]')}, ${unseen('$3', 'uuid[]')}) WITH ORDINALITY
         AS wanted (collection, key, changeset_id, ordinal)
       LEFT JOIN collection c ON c.name = wanted.collection AND c.definition_id IS NOT NULL
       LEFT JOIN definition d ON d.id = c.definition_id
       LEFT JOIN LATERAL (
         SELECT * FROM record WHERE collection_id = c.id AND key = wanted.key LIMIT 1
       ) AS r ON true
       LEFT JOIN version k ON k.id = r.current_version_id
       LEFT JOIN LATERAL (
         SELECT m.* FROM version m
         WHERE m.record_id = r.id AND m.number IS NULL AND m.revision IS NULL AND m.changeset_id IS NOT DISTINCT FROM wanted.changeset_id
         LIMIT 1
       ) AS p ON true
       LEFT JOIN version b ON b.id = p.base_version_id
     ) AS found
     ORDER BY found.ordinal`,
    [
      wanted.map(({ collection }) => collection),
      wanted.map(({ key }) => key),
      wanted.map(({ changeset }) => changeset),
    ],
  );
  const [first] = rows;
  if (first === undefined) throw new Error('the head row is missing, or nothing was asked for');
  return { revision: first.head, lookups: rows };
}
