import type { DiffView } from '../domain/record.js';
import { diffJson } from '../lib/json-diff.js';
import { withSnapshot } from '../store/db.js';
import { findHead } from '../store/head.js';
import type { QueryContext } from './context.js';
import { requirePending } from './steps/find-pending.js';

/** What committing the pending version would change of what readers see. */
export async function diffPending(
  context: QueryContext,
  input: { collection: string; key: string; changeset: string | null },
): Promise<{ diff: DiffView; revision: number }> {
  return await withSnapshot(context.db, async (snapshot) => {
    const { revision } = await findHead(snapshot);
    const { stored, record } = await requirePending(snapshot, input);
    const parse = (content: string | null) => (content === null ? undefined : JSON.parse(content));
    const to = stored.operation === 'delete' ? null : ('pending' as const);
    return {
      diff: {
        from: record.currentNumber,
        to,
        ...diffJson(parse(record.currentContent), parse(stored.content)),
      },
      revision,
    };
  });
}
