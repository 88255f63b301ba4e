import { splitPath } from '../domain/list-query.js';
import type { Page, RecordView } from '../domain/record.js';
import { projectJson } from '../lib/project-json.js';
import type { QueryContext } from './context.js';
import { type ListRecordsInput, listPage } from './steps/list-page.js';

/** Live records of a collection. All pages of one chain of cursors show the revision of the first. */
export async function listRecords(
  context: QueryContext,
  input: Omit<ListRecordsInput, 'changeset'>,
): Promise<{ page: Page<RecordView>; revision: number }> {
  const { collection, fields } = input;
  const paths = fields?.map(splitPath);
  return await listPage(context, { ...input, changeset: undefined }, (row): RecordView => {
    if (row.pending) throw new Error('a list of committed records holds a pending version');
    const { key, version, revision, content, committedAt, committedBy, message } = row;
    const data = JSON.parse(content);
    return {
      collection,
      key,
      version,
      revision,
      data: paths === undefined ? data : projectJson(data, paths),
      committedAt: committedAt.toISOString(),
      committedBy,
      message,
    };
  });
}
