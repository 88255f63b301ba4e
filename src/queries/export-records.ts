import { contentTag } from '../domain/entity-tag.js';
import { sha256 } from '../lib/digest.js';
import type { ListedRow } from '../store/list-records.js';
import type { QueryContext } from './context.js';
import { type ListPlace, type RecordsQuery, readRecords, type ShownState } from './steps/read-records.js';

/** How much is read at a time, and so about how much of an export is ever in memory. */
const part = { limit: 1000, maxBytes: 1024 * 1024 };

export interface Export {
  revision: number;
  /** The entity tag of the whole: query and state decide every byte of it. */
  tag: string;
  /** Lines of JSON, many at a time, read only as fast as they are taken. */
  text: AsyncGenerator<string, void, undefined>;
}

/**
 * All records that a list would show, at one revision, as lines that staging takes. What is refused is refused
 * before the first of them.
 */
export async function exportRecords(context: QueryContext, query: RecordsQuery): Promise<Export> {
  const first = await readRecords(context, query, null, part);
  const { revision } = first.state;
  return { revision, tag: tagOf(query, first.state), text: readText(context, query, first) };
}

async function* readText(
  context: QueryContext,
  query: RecordsQuery,
  first: { rows: ListedRow[]; state: ShownState },
): AsyncGenerator<string, void, undefined> {
  const { state } = first;
  for (let { rows } = first; ; ) {
    if (rows.length > 0) yield rows.map((row) => toLine(query.collection, row)).join('');
    const last = rows.at(-1);
    if (!last?.more) return;
    const from: ListPlace = { ...state, after: last.position };
    ({ rows } = await readRecords(context, query, from, part));
  }
}

/** The content is canonical JSON already, so it is not parsed. */
function toLine(collection: string, { key, content }: ListedRow): string {
  return `{"collection":${JSON.stringify(collection)},"key":${JSON.stringify(key)},"operation":"put","data":${content}}\n`;
}

function tagOf(query: RecordsQuery, state: ShownState): string {
  const { collection, keyPrefix = null, filters, sort, changeset = null } = query;
  const whole = [collection, keyPrefix, filters, sort, changeset, state.revision, state.edit];
  return contentTag(sha256(JSON.stringify(whole)).toString('hex'));
}
