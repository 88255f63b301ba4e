import type { KeptPage } from '../../domain/kept-answer.js';
import { splitPath } from '../../domain/list-query.js';
import { makePage } from '../../domain/page-text.js';
import { recordText } from '../../domain/record-text.js';
import { sha256 } from '../../lib/digest.js';
import { projectJson } from '../../lib/project-json.js';
import type { ListedRow } from '../../store/list-records.js';
import type { Source } from '../../store/read-cache.js';
import { maxPageBytes } from '../../store/versions.js';
import type { QueryContext } from '../context.js';
import { fingerprintOf, type ListRecordsInput } from './list-page.js';
import { type ListPlace, readPart } from './read-records.js';

/** A page that the cache does not have. */
export interface WantedPage {
  /** Its name in the cache. */
  name: string;
  input: ListRecordsInput;
  queryText: string;
  from: ListPlace | null;
  /** The revision that was asked for; null: the newest, or that of the cursor. */
  point: number | null;
}

/**
 * Reads a page, and keeps it. Whoever wants the same page meanwhile waits for it as well, if it is read at a state
 * that is new enough for them.
 *
 * @param atLeast the state that it must not be older than, which the cache has reached
 */
export async function loadPage(
  context: QueryContext,
  wanted: WantedPage,
  atLeast: number,
): Promise<KeptPage> {
  const { cache, pages } = context.reads;
  const isPast = wanted.from !== null || wanted.point !== null;
  const under = pages.get(wanted.name);
  if (under !== undefined && (isPast || under.revision >= atLeast)) return await under.page;
  const load = { revision: cache.revision, page: readPage(context, wanted, isPast) };
  pages.set(wanted.name, load);
  try {
    return await load.page;
  } finally {
    if (pages.get(wanted.name) === load) pages.delete(wanted.name);
  }
}

async function readPage(context: QueryContext, wanted: WantedPage, isPast: boolean): Promise<KeptPage> {
  const { cache, fence } = context.reads;
  const { name, input, queryText, from, point } = wanted;
  const load = cache.beginLoad();
  try {
    let isFirst = true;
    const findHead = async () => {
      if (!isFirst) await fence.cover();
      isFirst = false;
      return cache.revision;
    };
    const bounds = { limit: input.limit, maxBytes: maxPageBytes };
    const part = await readPart(context.db, input, { from, point, findHead }, bounds);
    const { rows, state, collectionId } = part;
    const last = rows.at(-1);
    const digest = sha256(`${queryText} ${rows.map(identityOf).join(' ')}`).toString('hex');
    const after = last?.more ? last.position : null;
    const items = rows.map((row) => itemText(row, input)).join(',');
    const page = makePage({ digest, fingerprint: fingerprintOf(queryText), after }, items, state.revision);
    const source: Source = isPast ? { type: 'nothing' } : { type: 'collection', collectionId };
    cache.keep(load, name, page, source, [page.shown.text, ...(after ?? [])]);
    return page;
  } finally {
    cache.endLoad(load);
  }
}

/** What tells an item from all others, and from itself at other times. */
const identityOf = ({ key, revision, digest }: ListedRow) =>
  `${JSON.stringify(key)} ${revision} ${digest.toString('base64url')}`;

function itemText(row: ListedRow, { collection, fields }: ListRecordsInput): string {
  if (row.pending) throw new Error('a list of committed records holds a pending version');
  const { content } = row;
  const paths = fields?.map(splitPath);
  const shown = paths === undefined ? content : JSON.stringify(projectJson(JSON.parse(content), paths));
  return recordText({ ...row, collection }, shown);
}
