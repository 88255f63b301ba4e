import type { Actor } from '../domain/actor.js';
import type { CommitView } from '../domain/commit.js';
import type { JsonValue } from '../lib/json-value.js';
import { findAnswers } from '../store/idempotency.js';
import { findCommit, listFirstChanges } from '../store/log.js';
import type { QueryContext } from './context.js';
import { atHead } from './steps/at-head.js';
import { toCommitView } from './steps/to-commit.js';

export interface KeptOutcome {
  /** `committed`, or the code of the refusal. */
  code: string;
  answeredAt: string;
  revision: number | null;
  body: JsonValue;
}

const maxChanges = 1_000;

/** What became of a request whose answer was lost: its commit, its refusal, or nothing (null) so far. */
export async function findCommitByIdempotencyKey(
  context: QueryContext,
  input: { key: string; actor: Actor },
): Promise<{ items: CommitView[]; next: null; outcome: KeptOutcome | null; revision: number }> {
  return await atHead(context.db, async (snapshot, revision) => {
    const [answer] = await findAnswers(snapshot, [{ principal: input.actor.name, key: input.key }]);
    const row = answer?.revision ? await findCommit(snapshot, answer.revision) : null;
    const items = row
      ? [toCommitView(row, await listFirstChanges(snapshot, [row.revision], maxChanges))]
      : [];
    const outcome = answer
      ? {
          code: answer.outcome,
          answeredAt: answer.answeredAt.toISOString(),
          revision: answer.revision,
          body: answer.body,
        }
      : null;
    return { items, next: null, outcome, revision };
  });
}
