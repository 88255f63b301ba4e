import type { ChangeView } from '../../src/domain/commit.js';
import { formatChange } from '../../src/domain/feed-format.js';
import type { QueryContext } from '../../src/queries/context.js';
import { type ReadChangesInput, readChanges } from '../../src/queries/read-changes.js';

/** A page of the feed as its readers get it. */
export async function readViews(
  context: QueryContext,
  input: Omit<ReadChangesInput, 'waitSeconds'>,
): Promise<{ changes: ChangeView[]; next: string; head: number }> {
  const { changes, next, head } = await readChanges(context, { ...input, waitSeconds: 0 });
  const views = changes.flatMap((change) => formatChange(change, 'changes'));
  return { changes: views.map((text) => JSON.parse(text)), next, head };
}
