import type { Executor, Session, Tx } from './db.js';

/*
 * What a definition that is not in force yet would keep about the records of its collection, and which of them
 * break it. It lies in temporary tables, so that a collection may have more records than fit into memory, and
 * so that the database finds what is there twice. `pending_id` is 0 for live records. A `party` is what would be
 * committed together: a changeset by its ordinal, or a pending version alone by its negative id. `rule` is the
 * place of the constraint in the definition.
 */
const tables = `
  CREATE TEMPORARY TABLE assessed_failure (pending_id bigint, record_id bigint);
  CREATE TEMPORARY TABLE assessed_value (pending_id bigint, record_id bigint, party bigint, rule integer, digest bytea);
  CREATE TEMPORARY TABLE assessed_reference (
    pending_id bigint, record_id bigint, party bigint, rule integer, key text, target_id bigint
  );
  CREATE TEMPORARY TABLE assessed_member (party bigint, record_id bigint, pending_id bigint, deletes boolean);`;

/** Makes the tables; they end with the session. */
export async function createAssessment(session: Session): Promise<void> {
  await session.queryOnce(tables);
}

/** A live record (pendingId 0) or a pending version. */
export interface Owner {
  pendingId: number;
  recordId: number;
}

export interface AssessedValue extends Owner {
  rule: number;
  digest: Buffer;
}

export interface AssessedReference extends Owner {
  rule: number;
  collection: string;
  key: string;
}

const partyOf = `
  coalesce((SELECT s.ordinal FROM version v JOIN changeset s ON s.id = v.changeset_id WHERE v.id = given.pending_id), -given.pending_id)`;

/** Notes what judging a batch has found: whose content breaks schema or rules, what it claims and refers to. */
export async function noteAssessed(
  executor: Executor,
  found: { failing: Owner[]; values: AssessedValue[]; references: AssessedReference[] },
): Promise<void> {
  const { failing, values, references } = found;
  const owners = (rows: Owner[]) => [rows.map((row) => row.pendingId), rows.map((row) => row.recordId)];
  if (failing.length > 0) {
    await executor.query(
      `INSERT INTO assessed_failure SELECT * FROM unnest($1::bigint[], $2::bigint[])`,
      owners(failing),
    );
  }
  if (values.length > 0) {
    await executor.query(
      `INSERT INTO assessed_value SELECT pending_id, record_id, ${partyOf}, rule, digest
       FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bytea[]) AS given (pending_id, record_id, rule, digest)`,
      [...owners(values), values.map((row) => row.rule), values.map((row) => row.digest)],
    );
  }
  if (references.length > 0) {
    await executor.query(
      `INSERT INTO assessed_reference SELECT pending_id, record_id, ${partyOf}, rule, given.key, t.id
       FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::text[]) AS given (pending_id, record_id, rule, collection, key)
       LEFT JOIN collection c ON c.name = given.collection AND c.definition_id IS NOT NULL
       LEFT JOIN record t ON t.collection_id = c.id AND t.key = given.key`,
      [
        ...owners(references),
        references.map((row) => row.rule),
        references.map((row) => row.collection),
        references.map((row) => row.key),
      ],
    );
  }
}

/** Forgets what was noted about live records that have changed since. */
export async function forgetAssessed(executor: Executor, recordIds: number[]): Promise<void> {
  for (const table of ['assessed_failure', 'assessed_value', 'assessed_reference']) {
    await executor.query(`DELETE FROM ${table} WHERE pending_id = 0 AND record_id = ANY ($1)`, [recordIds]);
  }
}

/**
 * Notes who would be committed together with the pending versions of a collection, whatever collection they
 * belong to, and the values that live records hold by rules that are in force already, as far as pending
 * versions claim them too.
 *
 * @param kept the rules that are in force already: their place, and their pointers as canonical JSON
 */
export async function noteMembers(
  executor: Executor,
  at: { collectionId: number; kept: { rule: number; pointers: string }[] },
): Promise<void> {
  await executor.query(
    `INSERT INTO assessed_member
     SELECT coalesce(s.ordinal, -v.id), v.record_id, v.id, v.operation = 'delete'
     FROM version v LEFT JOIN changeset s ON s.id = v.changeset_id
     WHERE v.revision IS NULL AND CASE
       WHEN v.changeset_id IS NULL THEN v.record_id IN (SELECT id FROM record WHERE collection_id = $1)
       ELSE v.changeset_id IN (
         SELECT p.changeset_id FROM version p JOIN record r ON r.id = p.record_id
         WHERE p.revision IS NULL AND r.collection_id = $1)
     END`,
    [at.collectionId],
  );
  await executor.query(
    `INSERT INTO assessed_value
     SELECT 0, u.record_id, 0, kept.rule, u.digest
     FROM unnest($2::integer[], $3::text[]) AS kept (rule, pointers)
     JOIN unique_value u ON u.collection_id = $1 AND u.pointers = kept.pointers
     WHERE (kept.rule, u.digest) IN (SELECT rule, digest FROM assessed_value WHERE pending_id <> 0)`,
    [at.collectionId, at.kept.map(({ rule }) => rule), at.kept.map(({ pointers }) => pointers)],
  );
}

/** Tells the planner how large the tables are: nobody else does for temporary ones. */
export async function measureAssessment(executor: Executor): Promise<void> {
  await executor.queryOnce('ANALYZE assessed_failure, assessed_value, assessed_reference, assessed_member');
}

/** Keeps what was noted about the live records, by rules that were not in force before. */
export async function writeAssessed(
  tx: Tx,
  at: {
    collectionId: number;
    /** All rules of the new definition, by their place. */
    unique: string[];
    references: { pointer: string; collection: string }[];
  },
): Promise<void> {
  await tx.query(
    `INSERT INTO unique_value (collection_id, pointers, digest, record_id)
     SELECT $1, ($2::text[])[rule + 1], digest, record_id FROM assessed_value WHERE pending_id = 0`,
    [at.collectionId, at.unique],
  );
  await tx.query(
    `INSERT INTO reference (source_record_id, pointer, target_record_id)
     SELECT record_id, ($1::text[])[rule + 1], target_id FROM assessed_reference WHERE pending_id = 0
     ON CONFLICT DO NOTHING`,
    [at.references.map(({ pointer }) => pointer)],
  );
}

/** Forgets what rules that are no longer in force kept about the records of a collection. */
export async function deleteConstraints(
  tx: Tx,
  at: { collectionId: number; unique: string[]; references: { pointer: string; collection: string }[] },
): Promise<void> {
  if (at.unique.length > 0) {
    await tx.query(`DELETE FROM unique_value WHERE collection_id = $1 AND pointers = ANY ($2)`, [
      at.collectionId,
      at.unique,
    ]);
  }
  if (at.references.length > 0) {
    await tx.query(
      `DELETE FROM reference USING record s, record t, collection c, unnest($2::text[], $3::text[]) AS gone (pointer, collection)
       WHERE s.id = source_record_id AND s.collection_id = $1 AND reference.pointer = gone.pointer
         AND t.id = target_record_id AND c.id = t.collection_id AND c.name = gone.collection`,
      [
        at.collectionId,
        at.references.map(({ pointer }) => pointer),
        at.references.map(({ collection }) => collection),
      ],
    );
  }
}
