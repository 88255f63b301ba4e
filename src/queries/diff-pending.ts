import type { DiffView } from '../domain/record.js';
import { diffJson } from '../lib/json-diff.js';
import type { QueryContext } from './context.js';
import { atHead } from './steps/at-head.js';
import { requirePending } from './steps/find-pending.js';

/** What committing the pending version would change of what readers see. */
export async function diffPending(
  context: QueryContext,
  input: { collection: string; key: string; changeset: string | null },
): Promise<{ diff: DiffView; revision: number }> {
  return await atHead(context.db, async (snapshot, revision) => {
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
