import {
  approveChangeset,
  commitChangeset,
  commitScheduled,
  createChangeset,
  discardChangeset,
  prepareCommitChangeset,
  scheduleChangeset,
  unscheduleChangeset,
  validateChangeset,
} from './changesets.js';
import { deleteCollection, putCollection, rehearseDefinition } from './collections.js';
import {
  commitChanges,
  prepareCommitChanges,
  prepareRevertCommit,
  requireAdmin,
  revertCommit,
  rollbackRecord,
} from './commits.js';
import type { Laws } from './laws.js';
import { stageLines } from './lines.js';
import type { Kind, Of, Operation } from './operations.js';
import {
  commitPending,
  discardPending,
  patchPending,
  prepareCommitPending,
  stagePending,
  validatePending,
} from './pendings.js';
import { rebaseChangeset, rebasePending } from './rebases.js';
import { runRetention } from './retention.js';
import { canonical, type Outcome, Refusal, type State } from './state.js';

type Handlers = { [K in Kind]: (state: State, laws: Laws, op: Of<K>) => unknown };

const handlers: Handlers = {
  'stage-pending': stagePending,
  'patch-pending': patchPending,
  'discard-pending': discardPending,
  'rebase-pending': rebasePending,
  'validate-pending': validatePending,
  'commit-pending': keyed(prepareCommitPending, commitPending),
  'rollback-record': keyed((_, op) => requireAdmin(op), rollbackRecord),
  'commit-changes': keyed(prepareCommitChanges, commitChanges),
  'revert-commit': keyed(prepareRevertCommit, revertCommit),
  'create-changeset': createChangeset,
  'validate-changeset': validateChangeset,
  'commit-changeset': keyed(prepareCommitChangeset, commitChangeset),
  'rebase-changeset': rebaseChangeset,
  'approve-changeset': approveChangeset,
  'discard-changeset': discardChangeset,
  'schedule-changeset': scheduleChangeset,
  'unschedule-changeset': unscheduleChangeset,
  'commit-scheduled': commitScheduled,
  'stage-lines': stageLines,
  'rehearse-definition': rehearseDefinition,
  'run-retention': runRetention,
  'put-collection': putCollection,
  'delete-collection': deleteCollection,
};

/** What the answer to a repeat is, in place of doing it again. */
class Repeated {
  constructor(readonly outcome: Outcome) {}
}

/**
 * A commit that may come with an Idempotency-Key. What `prepare` refuses is refused each time anew; what comes
 * after it is decided once.
 */
function keyed<Op extends Operation & { idempotencyKey?: string }>(
  prepare: (state: State, op: Op) => void,
  commit: (state: State, laws: Laws, op: Op) => unknown,
): (state: State, laws: Laws, op: Op) => unknown {
  return (state, laws, op) => {
    prepare(state, op);
    if (op.idempotencyKey === undefined) return commit(state, laws, op);
    const name = `${op.by.name} ${op.idempotencyKey}`;
    const request = requestOf(op);
    const kept = state.answers.get(name);
    if (kept && kept.request !== request) throw new Refusal('idempotency-key-reused');
    if (kept && laws.repeatsAreAnswered) return new Repeated({ ...kept.outcome, replayed: true });
    try {
      const answer = commit(state, laws, op);
      state.answers.set(name, { request, outcome: { code: 'ok', answer } });
      return answer;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (laws.refusalsAreKept) state.answers.set(name, { request, outcome: { code: error.code } });
      throw error;
    }
  };
}

/** All that a request asks for, whichever instance takes it. */
export function requestOf({ instance: _, ...op }: Operation): string {
  return canonical(op);
}

/** Does an operation to the state, and answers what the service has to answer. */
export function apply(state: State, laws: Laws, op: Operation): Outcome {
  try {
    const handle = handlers[op.type] as (state: State, laws: Laws, op: Operation) => unknown;
    const answer = handle(state, laws, op);
    return answer instanceof Repeated ? answer.outcome : { code: 'ok', answer };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { code: error.code };
  }
}
