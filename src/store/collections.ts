import type { StoredIndex } from '../domain/collection-view.js';
import { throughPrisma } from './database-errors.js';
import type { Db, Executor, Tx } from './db.js';
import { orMirrorBlocked } from './mirror.js';

/** A collection with the definition in force. */
export interface CollectionRow {
  id: number;
  name: string;
  definitionId: number;
  definitionNumber: number;
  definitionDigest: Buffer;
  /** Canonical JSON of the definition. */
  definitionContent: string;
  /** The revision at which the definition came into force. */
  revision: number;
  committedAt: Date;
  author: string;
}

const selectCollection = `
  SELECT c.id, c.name, d.id AS "definitionId", d.number AS "definitionNumber", d.digest AS "definitionDigest",
         d.content AS "definitionContent", d.revision, k.committed_at AS "committedAt", k.author
  FROM collection c JOIN definition d ON d.id = c.definition_id JOIN commit k ON k.revision = d.revision`;

/** The collections of these names that exist (deleted ones do not). */
export function findCollections(executor: Executor, names: string[]): Promise<CollectionRow[]> {
  return executor.query(`${selectCollection} WHERE c.name = ANY ($1)`, [names]);
}

/** Which definition a collection has, without its content. */
export type CollectionInForce = Pick<CollectionRow, 'id' | 'name' | 'definitionId' | 'definitionNumber'>;

/** Which definitions the collections of these names have, if they exist. */
export function findCollectionsInForce(executor: Executor, names: string[]): Promise<CollectionInForce[]> {
  return executor.query(
    `SELECT c.id, c.name, d.id AS "definitionId", d.number AS "definitionNumber"
     FROM collection c JOIN definition d ON d.id = c.definition_id WHERE c.name = ANY ($1)`,
    [names],
  );
}

/** One collection, or null. */
export async function findCollection(executor: Executor, name: string): Promise<CollectionRow | null> {
  return (await findCollections(executor, [name]))[0] ?? null;
}

/** One collection, kept in force until the transaction ends; or null. Locked first, then read as it is by then. */
export async function lockCollection(tx: Tx, name: string): Promise<CollectionRow | null> {
  await tx.query(`SELECT id FROM collection WHERE name = $1 FOR SHARE`, [name]);
  return findCollection(tx, name);
}

/** Those of these collections that exist, by their names, kept in force until the transaction ends. */
export async function lockCollections(tx: Tx, names: string[]): Promise<Map<string, number>> {
  await tx.query(`SELECT id FROM collection WHERE name = ANY ($1) ORDER BY id FOR SHARE`, [names]);
  const rows = await tx.query<{ id: number; name: string }>(
    `SELECT id, name FROM collection WHERE name = ANY ($1) AND definition_id IS NOT NULL`,
    [names],
  );
  return new Map(rows.map(({ id, name }) => [name, id]));
}

/** Makes sure that the name has a row, and locks it; definitionNumber is the highest ever given, 0 if none. */
export async function lockCollectionName(tx: Tx, name: string): Promise<{ id: number; lastNumber: number }> {
  await tx.query(`INSERT INTO collection (name) VALUES ($1) ON CONFLICT (name) DO NOTHING`, [name]);
  const [row] = await tx.query<{ id: number; lastNumber: number }>(
    `SELECT c.id, coalesce((SELECT max(d.number) FROM definition d WHERE d.collection_id = c.id), 0) AS "lastNumber"
     FROM collection c WHERE c.name = $1 FOR UPDATE`,
    [name],
  );
  if (row === undefined) throw new Error(`the collection ${name} vanished`);
  return row;
}

/**
 * Adds a definition and puts it in force.
 *
 * @throws DiptychError `mirror-blocked`
 */
export async function insertDefinition(
  tx: Tx,
  definition: { collectionId: number; number: number; revision: number; content: string; digest: Buffer },
): Promise<void> {
  const { collectionId, number, revision, content, digest } = definition;
  await orMirrorBlocked(
    tx.query(
      `WITH added AS (
         INSERT INTO definition (collection_id, number, revision, content, digest) VALUES ($1, $2, $3, $4, $5) RETURNING id
       ) UPDATE collection SET definition_id = (SELECT id FROM added) WHERE id = $1`,
      [collectionId, number, revision, content, digest],
    ),
  );
}

/**
 * Takes the collection out of force; its name and history stay.
 *
 * @throws DiptychError `mirror-blocked`
 */
export async function removeDefinition(tx: Tx, collectionId: number): Promise<void> {
  await orMirrorBlocked(tx.query(`UPDATE collection SET definition_id = NULL WHERE id = $1`, [collectionId]));
}

/** Whether a collection has any live record. */
export async function hasLiveRecords(executor: Executor, collectionId: number): Promise<boolean> {
  const rows = await executor.query(`SELECT FROM record WHERE collection_id = $1 AND live LIMIT 1`, [
    collectionId,
  ]);
  return rows.length > 0;
}

export async function countLiveRecords(executor: Executor, collectionId: number): Promise<number> {
  const [row] = await executor.query<{ count: number }>(
    `SELECT count(*) FROM record WHERE collection_id = $1 AND live`,
    [collectionId],
  );
  return row?.count ?? 0;
}

/** Whether anything stands against deleting the collection. */
export async function countCollectionUse(
  executor: Executor,
  collection: { id: number; name: string },
): Promise<{ live: number; pending: number; referencedBy: string[] }> {
  const [row] = await executor.query<{ live: number; pending: number; referencedBy: string[] }>(
    `SELECT (SELECT count(*) FROM record WHERE collection_id = $1 AND live) AS live,
            (SELECT count(*) FROM version v JOIN record r ON r.id = v.record_id
             WHERE v.revision IS NULL AND r.collection_id = $1) AS pending,
            ARRAY(SELECT c.name FROM collection c JOIN definition d ON d.id = c.definition_id
                  WHERE c.id <> $1 AND EXISTS (
                    SELECT FROM jsonb_array_elements(d.content::jsonb -> 'references') AS r
                    WHERE r ->> 'collection' = $2)
                  ORDER BY c.name) AS "referencedBy"`,
    [collection.id, collection.name],
  );
  if (row === undefined) throw new Error('count without a row');
  return row;
}

/**
 * Collections in the order of their names, and the head of the same moment. The control plane is read through
 * Prisma's typed client.
 *
 * @param range.names only these; all when absent
 */
export async function readCollections(
  db: Db,
  range: { names?: string[]; after?: string; limit: number },
): Promise<{ head: number; collections: (CollectionRow & { indexes: StoredIndex[] })[] }> {
  const { prisma } = db;
  const name = {
    ...(range.names === undefined ? {} : { in: range.names }),
    ...(range.after === undefined ? {} : { gt: range.after }),
  };
  const [head, rows] = await throughPrisma(() =>
    prisma.$transaction(
      [
        prisma.head.findFirstOrThrow(),
        prisma.collection.findMany({
          where: { name, definitionId: { not: null } },
          include: {
            definition: { include: { commit: true } },
            indexes: { where: { state: { not: 'removing' } }, orderBy: { id: 'asc' } },
          },
          orderBy: { name: 'asc' },
          take: range.limit,
        }),
      ],
      { isolationLevel: 'RepeatableRead' },
    ),
  );
  const collections = rows.flatMap(({ id, name: collection, definition, indexes }) =>
    definition === null
      ? []
      : [
          {
            id: Number(id),
            name: collection,
            definitionId: Number(definition.id),
            definitionNumber: definition.number,
            definitionDigest: Buffer.from(definition.digest),
            definitionContent: definition.content,
            revision: Number(definition.revision),
            committedAt: definition.commit.committedAt,
            author: definition.commit.author,
            indexes: indexes.map(
              ({ pointer, state, rowsDone }): StoredIndex => ({
                pointer,
                state: state === 'ready' ? 'ready' : 'building',
                rowsDone: Number(rowsDone),
              }),
            ),
          },
        ],
  );
  return { head: Number(head.revision), collections };
}
