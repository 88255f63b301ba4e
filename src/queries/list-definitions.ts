import type { DefinitionView } from '../domain/collection.js';
import type { Page } from '../domain/record.js';
import { collectionNotFound } from '../domain/refusals.js';
import { findCollection } from '../store/collections.js';
import {
  type DefinitionRow,
  findDefinitionContents,
  listDefinitions as listRows,
} from '../store/definitions.js';
import { maxPageBytes } from '../store/versions.js';
import type { QueryContext } from './context.js';
import { atHead } from './steps/at-head.js';
import { formatNumberCursor, readNumberCursor } from './steps/number-cursor.js';
import { toDefinitionView } from './steps/to-definition.js';

/** Every definition that a collection has had, newest first. */
export async function listDefinitions(
  context: QueryContext,
  input: { collection: string; limit: number; cursor?: string | undefined },
): Promise<{ page: Page<DefinitionView>; revision: number }> {
  const { collection, limit } = input;
  const below = readNumberCursor('definitions', input.cursor);
  return await atHead(context.db, async (snapshot, revision) => {
    const found = await findCollection(snapshot, collection);
    if (found === null) throw collectionNotFound(collection);
    const collectionId = found.id;
    const rows = await listRows(snapshot, { collectionId, below, limit: limit + 1 });
    const shown = rows.slice(0, countThatFits(rows.slice(0, limit)));
    const contents = await findDefinitionContents(snapshot, {
      collectionId,
      numbers: shown.map(({ number }) => number),
    });
    const last = shown.at(-1);
    const hasMore = last !== undefined && shown.length < rows.length;
    const next = hasMore ? formatNumberCursor('definitions', last.number) : null;
    const items = shown.map((row) => toDefinitionView(collection, row, contents));
    return { page: { items, next }, revision };
  });
}

/** How many fit on a page: as many as do not exceed its bytes, and one in any case. */
function countThatFits(rows: DefinitionRow[]): number {
  let bytes = 0;
  const tooMany = rows.findIndex((row) => {
    bytes += row.bytes;
    return bytes > maxPageBytes;
  });
  return tooMany === -1 ? rows.length : Math.max(1, tooMany);
}
