import type { Filter, Sort } from '../domain/list-query.js';
import type { Executor } from './db.js';
import { type Access, chooseAccess, keyRange } from './list-access.js';
import {
  afterCondition,
  filterCondition,
  nameOf,
  Parameters,
  positionOf,
  type SortKey,
  sortKeys,
} from './list-conditions.js';
import { lookUp, parsedContent } from './look-up.js';
import { previewAt, type RecordStateRow, stateAt } from './readers.js';

export interface ListRequest {
  collectionId: number;
  revision: number;
  /** The changeset that is laid over this state, or null. */
  changesetId: string | null;
  keyPrefix: string | undefined;
  filters: Filter[];
  sort: Sort[];
  limit: number;
  /** Bytes of content at most, but for the first item. */
  maxBytes: number;
  /** The sort values of the last item of the page before, in the order of `sortKeys`. */
  after: string[] | null;
}

/** Where an item comes from: a commit, or the changeset that is laid over the state. */
export type Origin =
  | { pending: false; revision: number; version: number; committedAt: Date; committedBy: string }
  | { pending: true; revision: null; version: null; committedAt: null; committedBy: null };

type Listed = Pick<RecordStateRow, 'key' | 'message'> & {
  content: string;
  digest: Buffer;
  /** The values by which the row is ordered, as text; the cursor of what follows it. */
  position: string[];
} & Origin;

export type ListedRow = Listed & {
  /** Whether there is more than what was answered. */
  more: boolean;
};

/**
 * Live records of a collection as of a revision, or as a changeset would leave it, filtered, ordered, after a
 * position. Fewer than `limit` come back where they are large. Below the horizon that comes with them they say
 * nothing.
 *
 * Driven by an index of what is live now, with what has changed since the revision put in; where that is much, and
 * in previews, along all records that ever were.
 */
export async function listRecordStates(
  executor: Executor,
  request: ListRequest,
): Promise<{ horizon: number; rows: ListedRow[] }> {
  if (request.changesetId === null) {
    const access = await chooseAccess(executor, request);
    const page = await readPage(executor, request, { now: access });
    if (page.holds) return page.found;
  }
  return (await readPage(executor, request, 'ever')).found;
}

/** Along what is live now, or along every record that ever was. */
type Source = { now: Access } | 'ever';

type Found = { horizon: number; holds: boolean } & ((Listed & { found: number }) | { key: null });

async function readPage(
  executor: Executor,
  request: ListRequest,
  source: Source,
): Promise<{ holds: boolean; found: { horizon: number; rows: ListedRow[] } }> {
  const { text, values } = listStatement(request, source);
  const answer = await executor[isKept(text, request) ? 'query' : 'queryOnce']<Found>(text, values);
  const rows = answer.flatMap((row) => (row.key === null ? [] : [row]));
  const listed = rows.map((row, index) =>
    Object.assign(row, { more: index === rows.length - 1 && row.found > rows.length }),
  );
  return { holds: answer[0]?.holds ?? true, found: { horizon: answer[0]?.horizon ?? 0, rows: listed } };
}

/** Forms of lists whose plans are kept, each of which takes some 300 kB of every connection. */
const maxKept = 16;
const kept = new Set<string>();

/** Planning takes longer than reading, so the first plain forms that are asked for are planned once. */
function isKept(text: string, { filters, sort, changesetId }: ListRequest): boolean {
  if (kept.has(text)) return true;
  if (kept.size === maxKept || filters.length > 1 || sort.length > 1 || changesetId !== null) return false;
  kept.add(text);
  return true;
}

/** Changes since the revision of a list that are put in, at most: more of them where the other way is longer. */
const fewChanges = { key: 200, index: 5_000 };

/** The statement of a page; exported for the test of its plan. */
export function listStatement(request: ListRequest, source: Source): { text: string; values: unknown[] } {
  const parameters = new Parameters();
  const collectionId = parameters.add(request.collectionId, 'bigint');
  const revision = parameters.add(request.revision, 'bigint');
  const limit = parameters.add(request.limit, 'bigint');
  const keys = sortKeys(parameters, request.sort);
  const order = keys.map((key, index) => `${nameOf(index)}${key.descending ? ' DESC' : ''}`).join(', ');
  const { keyFrom, keyTo } = keyRange(request);
  const conditions = [
    `r.collection_id = ${collectionId}`,
    `r.key >= ${parameters.add(keyFrom, 'text')}`,
    `r.key < ${parameters.add(keyTo, 'text')}`,
  ];
  const filters = new Map(request.filters.map((filter) => [filter, filterCondition(parameters, filter)]));
  const isBehind = request.after && keys.length > 1 ? [afterCondition(parameters, keys, request.after)] : [];
  const branch: Branch = { keys, conditions, filters, isBehind, order, limit, revision };
  const access = source === 'ever' ? null : source.now;
  const holds = access === null ? 'true' : `NOT many${access.by === 'index' ? ' AND ready' : ''}`;
  const parts =
    access === null
      ? [everBranch(branch, parameters, request.changesetId)]
      : [
          access.by === 'key' ? keyBranch(branch) : indexBranch(branch, parameters, access),
          changedBranch(branch),
        ];
  const facts = access === null ? '' : factsOf(access, { collectionId, revision, parameters });
  // The horizon comes with every row, and with a row of its own when there are none: of the same moment as they.
  const text = `
    WITH ${facts} page AS MATERIALIZED (
      SELECT * FROM (${parts.map((part) => `(${part})`).join(' UNION ALL ')}) AS parts ORDER BY ${order} LIMIT ${limit} + 1
    ), measured AS (
      SELECT page.*, v.number AS version, v.content, v.digest, v.message AS pending_message,
             row_number() OVER place AS row, count(*) OVER () AS found,
             sum(octet_length(v.content)) OVER place - octet_length(v.content) AS bytes_before
      FROM page ${lookUp('v', 'version', 'id', 'page.version_id')} WINDOW place AS (ORDER BY ${order})
    )
    SELECT c.horizon, ${access === null ? 'true' : `(SELECT ${holds} FROM facts)`} AS holds, listed.*
    FROM collection c LEFT JOIN (
      SELECT measured.key, measured.revision, version, measured.content, digest, pending, row, found,
             k.committed_at AS "committedAt", k.author AS "committedBy",
             CASE WHEN pending THEN pending_message ELSE k.message END AS message,
             ARRAY[${keys.map((key, index) => positionOf(key, nameOf(index))).join(', ')}] AS position
      FROM measured ${lookUp('k', 'commit', 'revision', 'measured.revision')}
      WHERE bytes_before < ${parameters.add(request.maxBytes, 'bigint')} AND row <= ${limit}
    ) AS listed ON true
    WHERE c.id = ${collectionId}
    ORDER BY row`;
  return { text, values: parameters.values };
}

/** What the parts of a page have in common; each brings the first of its records, in order. */
interface Branch {
  keys: SortKey[];
  conditions: string[];
  filters: Map<Filter, string>;
  /** That a record is behind the position of the list, where that is not said by its key. */
  isBehind: string[];
  order: string;
  limit: string;
  revision: string;
}

/** What has changed since the revision, if it is little, and whether the index may be used at this moment. */
function factsOf(
  access: Access,
  { collectionId, revision, parameters }: { collectionId: string; revision: string; parameters: Parameters },
): string {
  const ready =
    access.by === 'key'
      ? 'true'
      : `EXISTS (SELECT FROM list_index WHERE id = ${parameters.add(access.indexId, 'bigint')} AND state = 'ready')`;
  return `changed AS MATERIALIZED (
      SELECT record_id FROM change WHERE collection_id = ${collectionId} AND revision > ${revision} LIMIT ${fewChanges[access.by]} + 1
    ), facts AS MATERIALIZED (
      SELECT count(*) > ${fewChanges[access.by]} AS many, ${ready} AS ready FROM changed
    ),`;
}

function selectBranch(
  { keys, conditions, filters, isBehind, order, limit }: Branch,
  part: {
    from: string;
    revision: string;
    versionId: string;
    pending?: string;
    /** What the sort keys are here, the first ones. */
    sorted?: string[];
    and?: string[];
  },
): string {
  const sorted = keys.map(
    ({ expression }, index) => `${part.sorted?.[index] ?? expression} AS ${nameOf(index)}`,
  );
  return `
    SELECT r.key, ${part.revision} AS revision, ${part.versionId} AS version_id, ${part.pending ?? 'false'} AS pending, ${sorted.join(', ')}
    FROM ${part.from}
    WHERE ${[...conditions, ...filters.values(), ...isBehind, ...(part.and ?? [])].join(' AND ')}
    ORDER BY ${order} LIMIT ${limit} + 1`;
}

const unlessMany = 'NOT (SELECT many FROM facts)';
const parsedVersion = (id: string) => `${lookUp('v', 'version', 'id', id)} ${parsedContent}`;
const currentVersion = parsedVersion('r.current_version_id');
const unchanged = { revision: 'r.revision', versionId: 'r.current_version_id' };

/** Records that are live, and have not changed since the revision, along their keys. */
function keyBranch(branch: Branch): string {
  const needsContent = branch.filters.size > 0 || branch.keys.length > 1;
  return selectBranch(branch, {
    ...unchanged,
    from: `record r ${needsContent ? currentVersion : ''}`,
    and: ['r.live', `r.revision <= ${branch.revision}`, unlessMany],
  });
}

/** The same along parts of an index, of each no more than the page takes. */
function indexBranch(
  branch: Branch,
  parameters: Parameters,
  { indexId, parts, order, left }: Extract<Access, { by: 'index' }>,
): string {
  // Then the entries say all of it, and the parts begin behind the position.
  const isWhole = order === 'key' || (order === 'value' && branch.keys.length === 2);
  const needsContent = left.length > 0 || !isWhole;
  const filters = new Map([...branch.filters].filter(([filter]) => left.includes(filter)));
  const column = (type: string, values: (Buffer | string)[]) => parameters.add(values, `${type}[]`);
  const inPart = selectBranch(
    { ...branch, filters, ...(isWhole ? { isBehind: [] } : {}) },
    {
      ...unchanged,
      from: `index_entry e ${lookUp('r', 'record', 'id', 'e.record_id')} ${needsContent ? currentVersion : ''}`,
      sorted: {
        value: ['e.value', ...(branch.keys.length === 2 ? ['e.key'] : [])],
        key: ['e.key'],
        none: [],
      }[order],
      and: [
        `e.index_id = ${parameters.add(indexId, 'bigint')}`,
        order === 'key'
          ? 'e.value = part.value_from'
          : 'e.value >= part.value_from AND e.value < part.value_to',
        'e.key >= part.key_from AND e.key < part.key_to',
        `r.revision <= ${branch.revision}`,
        unlessMany,
      ],
    },
  );
  const columns = [
    column(
      'bytea',
      parts.map(({ from }) => from),
    ),
    column(
      'bytea',
      parts.map(({ to }) => to),
    ),
    column(
      'text',
      parts.map(({ keyFrom }) => keyFrom),
    ),
    column(
      'text',
      parts.map(({ keyTo }) => keyTo),
    ),
  ];
  return `
    SELECT found.* FROM unnest(${columns.join(', ')}) AS part (value_from, value_to, key_from, key_to)
    CROSS JOIN LATERAL (${inPart}) AS found`;
}

/** Records that have changed since the revision, as they were. */
function changedBranch(branch: Branch): string {
  return selectBranch(branch, {
    from: `(SELECT DISTINCT record_id FROM changed) AS h ${lookUp('r', 'record', 'id', 'h.record_id')}
           ${stateAt(branch.revision)} ${parsedVersion('state.version_id')}`,
    revision: 'state.revision',
    versionId: 'state.version_id',
    and: ['state.version_id IS NOT NULL', unlessMany],
  });
}

/** Every record that ever was, as it was at the revision, or as a changeset would leave it. */
function everBranch(branch: Branch, parameters: Parameters, changesetId: string | null): string {
  if (changesetId === null)
    return selectBranch(branch, {
      from: `record r ${stateAt(branch.revision)} JOIN version v ON v.id = state.version_id ${parsedContent}`,
      revision: 'state.revision',
      versionId: 'v.id',
    });
  return selectBranch(branch, {
    from: `record r ${previewAt(branch.revision, parameters.add(changesetId, 'uuid'))} ${parsedContent}`,
    revision: 'CASE WHEN p.id IS NULL THEN state.revision END',
    versionId: 'v.id',
    pending: 'p.id IS NOT NULL',
    // A preview also joins what it deletes, and what is not live.
    and: [`v.operation = 'upsert'`],
  });
}
