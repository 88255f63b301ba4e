import { splitPath } from '../domain/list-query.js';
import type { Page, PreviewView } from '../domain/record.js';
import { projectJson } from '../lib/project-json.js';
import type { QueryContext } from './context.js';
import { type ListRecordsInput, listPage } from './steps/list-page.js';

/**
 * Records of a collection as a changeset would leave them. All pages of one chain of cursors show one state:
 * once the changeset is edited, the rest of the chain is refused.
 */
export async function previewRecords(
  context: QueryContext,
  input: ListRecordsInput & { changeset: string },
): Promise<{ page: Page<PreviewView>; revision: number }> {
  const { collection, fields } = input;
  const paths = fields?.map(splitPath);
  return await listPage(context, input, (row): PreviewView => {
    const { key, version, revision, content, committedAt, committedBy, message, pending } = row;
    const data = JSON.parse(content);
    return {
      collection,
      key,
      version,
      revision,
      data: paths === undefined ? data : projectJson(data, paths),
      committedAt: committedAt?.toISOString() ?? null,
      committedBy,
      message,
      pending,
    };
  });
}
