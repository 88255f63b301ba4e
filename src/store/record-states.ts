import type { Executor } from './db.js';
import { type News, newsOf, newsSince } from './news.js';
import { type RecordStateRow, stateAt, stateColumns } from './readers.js';

/** A record, and the revision as of which it is wanted; null: now. */
export interface WantedRecord {
  collection: string;
  key: string;
  at: number | null;
}

/** A record that was committed at some time up to the revision that was asked for. */
export interface RecordState extends RecordStateRow {
  recordId: number;
  /** Whether there is a content that is larger than was asked for. */
  isLarge: boolean;
}

/** What is found for a record; the state says nothing below the horizon of the collection. */
export interface FoundRecord {
  /** Null when the collection has never existed. */
  collectionId: number | null;
  /** Whether the collection has a definition now. */
  inForce: boolean;
  horizon: number;
  /** Null when the record had never been committed. */
  state: RecordState | null;
}

type Nullable<Row> = { [Column in keyof Row]: Row[Column] | null };

type StateRow = Nullable<Omit<FoundRecord, 'state'> & RecordState> & { head: number; news: News['changes'] };

/** The news of the snapshot goes with the first row. */
const statesStatement = `
  SELECT head.revision AS head, CASE WHEN w.place = 1 THEN ${newsSince('$4')} END AS news,
         c.id AS "collectionId", c."inForce", c.horizon, found.*
  FROM head CROSS JOIN unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS w (collection, key, at, place)
  LEFT JOIN LATERAL (
    SELECT id, horizon, definition_id IS NOT NULL AS "inForce" FROM collection WHERE name = w.collection LIMIT 1
  ) AS c ON true
  LEFT JOIN LATERAL (
    SELECT r.id AS "recordId", coalesce(octet_length(v.content) > $5, false) AS "isLarge",
           ${stateColumns('CASE WHEN octet_length(v.content) <= $5 THEN v.content END')}
    FROM record r ${stateAt('coalesce(w.at, head.revision)')}
    JOIN commit k ON k.revision = state.revision
    LEFT JOIN version v ON v.id = state.version_id
    WHERE r.collection_id = c.id AND r.key = w.key
  ) AS found ON true
  ORDER BY w.place`;

/**
 * Records as readers see them, or saw them at a revision, in the order in which they are asked for. All of it is of
 * one snapshot, and so is the news since a revision.
 *
 * @param options.maxContentBytes a larger content is left out
 */
export async function findRecordStates(
  executor: Executor,
  wanted: WantedRecord[],
  options: { since: number; maxContentBytes: number },
): Promise<{ news: News; found: FoundRecord[] }> {
  const rows = await executor.query<StateRow>(statesStatement, [
    wanted.map(({ collection }) => collection),
    wanted.map(({ key }) => key),
    wanted.map(({ at }) => at),
    options.since,
    options.maxContentBytes,
  ]);
  const [first] = rows;
  if (first === undefined || rows.length !== wanted.length) throw new Error('the head row is missing');
  return { news: newsOf(first, options.since), found: rows.map(toFound) };
}

function toFound(row: StateRow): FoundRecord {
  const { head, news, collectionId, inForce, horizon, ...state } = row;
  return {
    collectionId,
    inForce: inForce ?? false,
    horizon: horizon ?? 0,
    state: isCommitted(state) ? state : null,
  };
}

function isCommitted(state: Nullable<RecordState>): state is RecordState {
  return state.recordId !== null;
}
