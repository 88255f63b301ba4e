import type { Executor } from './db.js';
import { parsedContent } from './look-up.js';

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
 * all of these paths into `data`, none of it missing or null. Values are brought together by grouping, whose
 * work grows with the members; a join may be planned as each with each while the statistics are old.
 */
export function findValueOverlaps(
  executor: Executor,
  changesetId: string,
  unique: { collectionId: number; paths: string[][] },
): Promise<ValueOverlapRow[]> {
  const paths = unique.paths.map((_, index) => `parsed.data #> $${index + 3}::text[]`);
  const present = paths.map((path) => `coalesce(jsonb_typeof(${path}), 'null') <> 'null'`).join(' AND ');
  return executor.queryOnce(
    `WITH wanted AS (
       SELECT v.changeset_id, jsonb_build_array(${paths.join(', ')}) AS value, min(r.key) AS first, max(r.key) AS last
       FROM version v JOIN record r ON r.id = v.record_id ${parsedContent}
       WHERE v.changeset_id IS NOT NULL AND v.revision IS NULL AND r.collection_id = $2 AND ${present}
       GROUP BY 1, 2
     ), contested AS (
       SELECT wanted.*,
              min(first) FILTER (WHERE changeset_id = $1) OVER same AS my_first,
              max(last) FILTER (WHERE changeset_id = $1) OVER same AS my_last
       FROM wanted WINDOW same AS (PARTITION BY value)
     ), overlap AS (
       SELECT changeset_id, count(*) AS count,
              (array_agg(json_build_object(
                 'key', CASE WHEN my_first = last THEN my_last ELSE my_first END,
                 'otherKey', CASE WHEN my_first = first THEN last ELSE first END
               ) ORDER BY my_first, first))[1:${sampleSize}] AS sample
       FROM contested
       WHERE changeset_id <> $1 AND my_first IS NOT NULL AND NOT (my_first = my_last AND first = last AND my_first = first)
       GROUP BY changeset_id
     )
     SELECT s.id AS changeset, s.title, s.state, overlap.count, overlap.sample
     FROM overlap JOIN changeset s ON s.id = overlap.changeset_id ORDER BY s.ordinal`,
    [changesetId, unique.collectionId, ...unique.paths],
  );
}
