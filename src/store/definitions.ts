import type { Executor } from './db.js';

/** A definition that a collection has or had, without its content. */
export interface DefinitionRow {
  number: number;
  revision: number;
  digest: Buffer;
  bytes: number;
  committedAt: Date;
  committedBy: string;
  current: boolean;
}

const selectDefinition = `
  SELECT d.number, d.revision, d.digest, octet_length(d.content) AS bytes, d.id = c.definition_id AS current,
         k.committed_at AS "committedAt", k.author AS "committedBy"
  FROM collection c JOIN definition d ON d.collection_id = c.id JOIN commit k ON k.revision = d.revision
  WHERE c.id = $1`;

/** Definitions of a collection, newest first, below a number. */
export function listDefinitions(
  executor: Executor,
  at: { collectionId: number; below: number | null; limit: number },
): Promise<DefinitionRow[]> {
  return executor.query(
    `${selectDefinition} AND d.number < coalesce($2::integer, 2147483647) ORDER BY d.number DESC LIMIT $3`,
    [at.collectionId, at.below, at.limit],
  );
}

/** One definition of a collection, or null. */
export async function findDefinition(
  executor: Executor,
  at: { collectionId: number; number: number },
): Promise<DefinitionRow | null> {
  const rows = await executor.query<DefinitionRow>(`${selectDefinition} AND d.number = $2`, [
    at.collectionId,
    at.number,
  ]);
  return rows[0] ?? null;
}

/** The canonical JSON of definitions by id. */
export async function findDefinitionsById(executor: Executor, ids: number[]): Promise<Map<number, string>> {
  const rows = await executor.query<{ id: number; content: string }>(
    `SELECT id, content FROM definition WHERE id = ANY ($1::bigint[])`,
    [ids],
  );
  return new Map(rows.map(({ id, content }) => [id, content]));
}

/** The canonical JSON of definitions of a collection, by number. */
export async function findDefinitionContents(
  executor: Executor,
  at: { collectionId: number; numbers: number[] },
): Promise<Map<number, string>> {
  const rows = await executor.query<{ number: number; content: string }>(
    `SELECT number, content FROM definition WHERE collection_id = $1 AND number = ANY ($2::integer[])`,
    [at.collectionId, at.numbers],
  );
  return new Map(rows.map(({ number, content }) => [number, content]));
}
