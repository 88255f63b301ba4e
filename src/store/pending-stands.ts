import type { Tx } from './db.js';
import { unseen } from './kept-plans.js';
import type { PendingRow } from './versions.js';

/** A record by the name of its collection. */
export interface RecordName {
  collection: string;
  key: string;
}

/** What an edit of a pending version starts from. */
export interface StandRow extends RecordName {
  recordId: number;
  /** The revision at which the record last changed; null while it has only ever been prepared. */
  revision: number | null;
  currentVersionId: number | null;
  currentNumber: number | null;
  pending:
    | (Pick<PendingRow, 'id' | 'operation' | 'baseVersionId' | 'baseNumber' | 'message' | 'stagedBy'> &
        Pick<PendingRow, 'edit' | 'validation' | 'resolutions'> & { stagedAt: string })
    | null;
  /** The content of the pending version, or of the current one where there is none; only where it was asked for. */
  base: string | null;
}

/** A collection as an edit finds it. */
export type EditedCollection = { id: number; definitionId: number } | 'busy';

/** Where edits stand in time. */
export interface EditMoment {
  /** The revision of the state that was read. */
  revision: number;
  now: Date;
  /** Ids of versions that may be started; those that are not used are gone. */
  versionIds: number[];
}

/** Keeps collections in force until the transaction ends. */
const lockCollections = (patience: string) => `
  SELECT c.name, held.id, held.definition_id AS "definitionId"
  FROM collection c
  LEFT JOIN (
    SELECT id, definition_id FROM collection WHERE name = ANY (${unseen('$1', 'text[]')}) ORDER BY id FOR SHARE ${patience}
  ) AS held ON held.id = c.id
  WHERE c.name = ANY (${unseen('$1', 'text[]')})`;

/**
 * Keeps others from staging into these records until the transaction ends. References to them are let be. The
 * collections come first, so that each record is looked up by both parts of its index, whatever the statistics are.
 */
const lockRecords = (patience: string) => `
  WITH wanted AS MATERIALIZED (
    SELECT c.id AS collection_id, name.key
    FROM unnest(${unseen('$1', 'text[]')}, ${unseen('$2', 'text[]')}) AS name (collection, key)
    JOIN collection c ON c.name = name.collection AND c.definition_id IS NOT NULL
  )
  SELECT r.id FROM wanted JOIN record r ON r.collection_id = wanted.collection_id AND r.key = wanted.key
  ORDER BY r.id FOR NO KEY UPDATE OF r ${patience}`;

const waiting = { collections: lockCollections(''), records: lockRecords('') };
const passing = { collections: lockCollections('SKIP LOCKED'), records: lockRecords('SKIP LOCKED') };

/** One row for each name. What may be started gets an id here, so that it can be written without waiting for it. */
const readStands = `
  SELECT head.revision AS head, clock_timestamp() AS now,
         CASE WHEN p.id IS NULL THEN nextval('version_id_seq') END AS "versionId",
         wanted.collection, wanted.key, r.id AS "recordId", r.revision, r.current_version_id AS "currentVersionId",
         k.number AS "currentNumber",
         CASE WHEN p.id IS NOT NULL THEN json_build_object(
           'id', p.id, 'operation', p.operation, 'baseVersionId', p.base_version_id, 'baseNumber', b.number,
           'message', p.message, 'stagedBy', p.staged_by, 'stagedAt', p.staged_at, 'edit', p.edit,
           'validation', p.validation, 'resolutions', coalesce(p.resolutions, '[]'))
         END AS pending,
         CASE WHEN wanted.patched THEN CASE WHEN p.id IS NULL THEN k.content ELSE p.content END END AS base
  FROM head
  CROSS JOIN unnest(${unseen('$1', 'text[]')}, ${unseen('$2', 'text[]')}, ${unseen('$3', 'boolean[]')})
    AS wanted (collection, key, patched)
  LEFT JOIN collection c ON c.name = wanted.collection AND c.definition_id IS NOT NULL
  LEFT JOIN LATERAL (
    SELECT * FROM record WHERE collection_id = c.id AND key = wanted.key LIMIT 1
  ) AS r ON true
  LEFT JOIN version k ON k.id = r.current_version_id
  LEFT JOIN LATERAL (
    SELECT m.* FROM version m
    WHERE m.record_id = r.id AND m.number IS NULL AND m.revision IS NULL
      AND m.changeset_id IS NOT DISTINCT FROM ${unseen('$4', 'uuid')}
    LIMIT 1
  ) AS p ON true
  LEFT JOIN version b ON b.id = p.base_version_id`;

/** What is null where the record does not exist is null in all of these. */
type ReadRow = (StandRow | (RecordName & { recordId: null })) & {
  head: number;
  now: Date;
  versionId: number | null;
};

const isStand = (row: ReadRow): row is ReadRow & StandRow => row.recordId !== null;

/**
 * Locks collections and records, in this order, and reads then where the pending versions stand. Three statements
 * that are sent together.
 *
 * @param wanted one at least
 * @param options.wait whether to wait for those that somebody else has locked, or to pass over them
 * @returns collections in force by name; stands of the records that exist, and which of them are locked
 */
export async function lockStands(
  tx: Tx,
  wanted: (RecordName & { isPatched: boolean })[],
  options: { changesetId: string | null; wait: boolean },
): Promise<{
  collections: Map<string, EditedCollection>;
  stands: StandRow[];
  locked: Set<number>;
  moment: EditMoment;
}> {
  const texts = options.wait ? waiting : passing;
  const names = [wanted.map(({ collection }) => collection), wanted.map(({ key }) => key)];
  const [collections, records, rows] = await Promise.all([
    tx.query<{ name: string; id: number | null; definitionId: number | null }>(texts.collections, [
      [...new Set(names[0])],
    ]),
    tx.query<{ id: number }>(texts.records, names),
    tx.query<ReadRow>(readStands, [...names, wanted.map(({ isPatched }) => isPatched), options.changesetId]),
  ]);
  const [first] = rows;
  if (first === undefined) throw new Error('the head row is missing, or nothing was asked for');
  return {
    collections: new Map(
      collections.flatMap(({ name, id, definitionId }): [string, EditedCollection][] => {
        if (id === null) return [[name, 'busy']];
        return definitionId === null ? [] : [[name, { id, definitionId }]];
      }),
    ),
    stands: rows.filter(isStand),
    locked: new Set(records.map(({ id }) => id)),
    moment: {
      revision: first.head,
      now: first.now,
      versionIds: rows.flatMap(({ versionId }) => versionId ?? []),
    },
  };
}
