import type { FeedFilter } from '../domain/feed-change.js';
import { type Position, wholeCommit } from '../domain/feed-page.js';
import { textAfterPrefix } from '../domain/sort-value.js';
import type { Executor } from './db.js';
import { feedHorizon } from './horizon.js';
import { afterAllKeys, Parameters } from './list-conditions.js';
import { changeOperation, type LoggedChangeRow } from './log.js';
import { lookUp } from './look-up.js';

/** Where the next changes are and how many bytes each carries, in the order of the log. */
export function listFeedPositions(
  executor: Executor,
  range: { after: Position; upTo: number; filter: FeedFilter; limit: number },
): Promise<(Position & { bytes: number })[]> {
  const parameters = new Parameters();
  const upTo = { revision: range.upTo, ordinal: wholeCommit };
  const source = selectFeed(parameters, { ...range, upTo });
  return executor.query(
    `SELECT h.revision, h.ordinal, coalesce(octet_length(b.content), 0) + coalesce(octet_length(a.content), 0) AS bytes
     FROM (${source} LIMIT ${parameters.add(range.limit, 'bigint')}) AS h
     ${lookUp('b', 'version', 'id', 'h.before_version_id')}
     ${lookUp('a', 'version', 'id', 'h.after_version_id')}
     ORDER BY h.revision, h.ordinal`,
    parameters.values,
  );
}

/** The place of the change that comes so many after a position; null where there are not as many. */
export async function findFeedPosition(
  executor: Executor,
  range: { after: Position; upTo: number; filter: FeedFilter; distance: number },
): Promise<Position | null> {
  const parameters = new Parameters();
  const upTo = { revision: range.upTo, ordinal: wholeCommit };
  const [row] = await executor.query<Position>(
    `SELECT h.revision, h.ordinal
     FROM (${selectFeed(parameters, { ...range, upTo })} OFFSET ${parameters.add(range.distance - 1, 'bigint')} LIMIT 1) AS h`,
    parameters.values,
  );
  return row ?? null;
}

/** The changes that a feed is made of, in its order: in the range, and such as pass the filter. */
function selectFeed(
  parameters: Parameters,
  range: { after: Position; upTo: Position; filter: FeedFilter },
): string {
  const { after, upTo, filter } = range;
  const at = ({ revision, ordinal }: Position) =>
    `(${parameters.add(revision, 'bigint')}, ${parameters.add(ordinal, 'integer')})`;
  // A statement of its own for one collection, so that it goes along the changes of that one only.
  const ofCollection =
    filter.collectionId === null
      ? ''
      : `AND h.collection_id = ${parameters.add(filter.collectionId, 'bigint')}`;
  const { record, ofKeys } = selectKeys(parameters, filter.keyPrefix);
  return `SELECT h.* FROM change h ${record}
          WHERE (h.revision, h.ordinal) > ${at(after)} AND (h.revision, h.ordinal) <= ${at(upTo)} ${ofCollection} ${ofKeys}
          ORDER BY h.revision, h.ordinal`;
}

/** Keys are compared with both ends of the range that a prefix is, which costs less than looking at their beginnings. */
function selectKeys(parameters: Parameters, keyPrefix: string | null): { record: string; ofKeys: string } {
  if (keyPrefix === null) return { record: '', ofKeys: '' };
  const from = parameters.add(keyPrefix, 'text');
  const to = parameters.add(textAfterPrefix(keyPrefix) ?? afterAllKeys, 'text');
  return {
    record: lookUp('n', 'record', 'id', 'h.record_id'),
    ofKeys: `AND n.key >= ${from} AND n.key < ${to}`,
  };
}

export interface FeedRow extends LoggedChangeRow {
  /** That of the feed at the moment of the reading; a change up to it may lack its contents. */
  horizon: number;
  beforeContent: string | null;
  afterContent: string | null;
  committedAt: Date;
  author: string;
  message: string | null;
}

/** The changes after one position up to and with another, with both records. */
export function listFeed(
  executor: Executor,
  range: { after: Position; upTo: Position; filter: FeedFilter },
): Promise<FeedRow[]> {
  const parameters = new Parameters();
  const horizon = feedHorizon(parameters.add(range.filter.collectionId, 'bigint'));
  // The page first: what it joins is then known to be little.
  const source = `(${selectFeed(parameters, range)} OFFSET 0) AS h`;
  return executor.query(selectRows(source, horizon), parameters.values);
}

/** The changes at these places, with both records. */
export function listFeedAt(
  executor: Executor,
  positions: Position[],
  filter: FeedFilter,
): Promise<FeedRow[]> {
  const source = `
    unnest($2::bigint[], $3::integer[]) AS place (revision, ordinal)
    CROSS JOIN LATERAL (
      SELECT * FROM change WHERE change.revision = place.revision AND change.ordinal = place.ordinal LIMIT 1
    ) AS h`;
  return executor.query(selectRows(source, feedHorizon('$1')), [
    filter.collectionId,
    positions.map(({ revision }) => revision),
    positions.map(({ ordinal }) => ordinal),
  ]);
}

/** Of the rows of `change` that `source` names as h: one look-up for each thing that a change is made of. */
const selectRows = (source: string, horizon: string) => `
  SELECT h.revision, h.ordinal, ${changeOperation}, c.name AS collection, r.key, b.number AS before, a.number AS after,
         b.content AS "beforeContent", a.content AS "afterContent", k.committed_at AS "committedAt", k.author, k.message,
         ${horizon} AS horizon
  FROM ${source}
  ${lookUp('k', 'commit', 'revision', 'h.revision')}
  ${lookUp('r', 'record', 'id', 'h.record_id')}
  ${lookUp('c', 'collection', 'id', 'h.collection_id')}
  ${lookUp('b', 'version', 'id', 'h.before_version_id')}
  ${lookUp('a', 'version', 'id', 'h.after_version_id')}
  ORDER BY h.revision, h.ordinal`;
