import type { Executor } from './db.js';

/** Records and values that are shown of an overlap; all are counted. */
const sampleSize = 20;

export interface RecordOverlapRow {
  changeset: string;
  title: string;
  state: 'open' | 'scheduled';
  count: number;
  sample: { collection: string; key: string }[];
}

/** Other open changesets that hold pending versions of the same records. */
export function findRecordOverlaps(executor: Executor, changesetId: string): Promise<RecordOverlapRow[]> {
  return executor.query(
    `SELECT s.id AS changeset, s.title, s.state, count(*) AS count,
            (array_agg(json_build_object('collection', c.name, 'key', r.key) ORDER BY c.name, r.key))[1:${sampleSize}] AS sample
     FROM version mine
     JOIN version other ON other.record_id = mine.record_id AND other.revision IS NULL AND other.changeset_id <> mine.changeset_id
     JOIN changeset s ON s.id = other.changeset_id
     JOIN record r ON r.id = mine.record_id
     JOIN collection c ON c.id = r.collection_id
     WHERE mine.changeset_id = $1 AND mine.revision IS NULL
     GROUP BY s.id ORDER BY s.ordinal`,
    [changesetId],
  );
}

export interface ValueOverlapRow {
  changeset: string;
  title: string;
  state: 'open' | 'scheduled';
  count: number;
  sample: { key: string; otherKey: string }[];
}

/**
 * Other open changesets with a pending version of another record that wants the same unique value: what is at
 * all of these paths into \`data\`, none of it missing or null.
 */
export function findValueOverlaps(
  executor: Executor,
  changesetId: string,
  unique: { collectionId: number; paths: string[][] },
): Promise<ValueOverlapRow[]> {
  const paths = unique.paths.map((_, index) => `$${index + 3}::text[]`);
  const present = (alias: string) =>
    paths.map((path) => `coalesce(jsonb_typeof(${alias}.data #> ${path}), 'null') <> 'null'`).join(' AND ');
  const value = (alias: string) =>
    `jsonb_build_array(${paths.map((path) => `${alias}.data #> ${path}`).join(', ')})`;
  const wanting = (alias: string, where: string) =>
    `SELECT ${alias}.record_id, ${alias}.changeset_id, r.key, ${value(alias)} AS value
     FROM version ${alias} JOIN record r ON r.id = ${alias}.record_id
     WHERE ${where} AND ${alias}.revision IS NULL AND r.collection_id = $2 AND ${present(alias)}`;
  return executor.query(
    `SELECT s.id AS changeset, s.title, s.state, count(*) AS count,
            (array_agg(json_build_object('key', mine.key, 'otherKey', other.key) ORDER BY mine.key, other.key))[1:${sampleSize}] AS sample
     FROM (${wanting('v', 'v.changeset_id = $1')}) AS mine
     JOIN (${wanting('w', 'w.changeset_id <> $1')}) AS other ON other.value = mine.value AND other.record_id <> mine.record_id
     JOIN changeset s ON s.id = other.changeset_id
     GROUP BY s.id ORDER BY s.ordinal`,
    [changesetId, unique.collectionId, ...unique.paths],
  );
}
