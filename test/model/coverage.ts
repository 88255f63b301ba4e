import { isFull } from '../support/size.js';
import type { Kind } from './operations.js';
import type { Outcome } from './state.js';

const judged = 'approval-required validation-failed';
const keyed = 'replayed idempotency-key-reused';
const seen = 'precondition-failed precondition-required';
const patched = 'patch-test-failed patch-impossible';
const waiting = 'changeset-not-found changeset-closed';
const rebased = 'rebase-conflict invalid-request';

/** What has to have happened to each operation at least once in a whole set of runs. */
const expected: { [K in Kind]: string } = {
  'stage-pending': `collection-not-found ${waiting} ${seen} base-outdated record-not-found record-deleted`,
  'patch-pending': `collection-not-found ${waiting} precondition-failed pending-not-found ${patched}`,
  'discard-pending': `changeset-closed ${seen} pending-not-found`,
  'rebase-pending': `changeset-closed pending-not-found precondition-failed ${rebased}`,
  'validate-pending': 'pending-not-found',
  'commit-pending': `${judged} ${keyed} ${seen} changeset-member pending-not-found receipt-stale base-outdated`,
  'rollback-record': `${judged} ${keyed} permission-required record-not-found precondition-failed version-not-found version-expired already-current`,
  'commit-changes': `${judged} ${keyed} ${patched} invalid-request collection-not-found record-not-found record-deleted version-conflict`,
  'revert-commit': `${judged} ${keyed} permission-required commit-not-found revert-impossible revert-conflict version-expired`,
  'create-changeset': '',
  'validate-changeset': waiting,
  'commit-changeset': `${judged} ${keyed} ${seen} ${waiting} receipt-stale base-outdated`,
  'rebase-changeset': `${waiting} precondition-failed ${rebased}`,
  'approve-changeset': `${waiting} ${seen} approval-refused`,
  'discard-changeset': `${waiting} ${seen}`,
  'schedule-changeset': `${waiting} ${seen} receipt-stale invalid-request`,
  'unschedule-changeset': waiting,
  'commit-scheduled': 'refused',
  // Of the call, or of a line.
  'stage-lines': `${waiting} ${seen} ${patched} collection-not-found record-not-found`,
  'rehearse-definition': 'definition-invalid',
  'run-retention': 'collection-not-found permission-required archived deleted',
  'put-collection': `${seen} permission-required definition-conflict definition-invalid`,
  'delete-collection': 'collection-not-found collection-in-use precondition-failed',
};

/** Takes a hundred seeds to come about, which only the whole set has. */
const rare = ['version-expired'];

/** Names of what happened in one answer, as `missingOutcomes` looks for them. */
export function outcomesOf(type: Kind, { code, answer, replayed }: Outcome): string[] {
  const notes = [code, ...(replayed ? ['replayed'] : []), ...detailsOf(type, answer)];
  return [...new Set(notes)].map((note) => `${type} ${note}`);
}

/** What an answer that is no refusal tells all the same. */
function detailsOf(type: Kind, answer: unknown): string[] {
  if (type === 'stage-lines') {
    const { errors = [] } = (answer ?? {}) as { errors?: string[] };
    return errors.map((error) => error.split(' ')[1] ?? '');
  }
  if (type === 'commit-scheduled')
    return ((answer ?? []) as object[]).flatMap((each) => ('refused' in each ? ['refused'] : []));
  if (type !== 'run-retention') return [];
  const { archived = 0, deleted = 0 } = (answer ?? {}) as { archived?: number; deleted?: number };
  return [...(archived > 0 ? ['archived'] : []), ...(deleted > 0 ? ['deleted'] : [])];
}

/**
 * What has not happened and should have: in the whole set every outcome of every operation, on every change
 * every operation's success, and every refusal by whichever operation.
 */
export function missingOutcomes(outcomes: Map<string, number>): string[] {
  const names = [...outcomes.keys()];
  const isThere = (type: string, note: string) =>
    isFull || note === 'ok'
      ? outcomes.has(`${type} ${note}`)
      : rare.includes(note) || names.some((name) => name.endsWith(` ${note}`));
  return Object.entries(expected).flatMap(([type, notes]) =>
    ['ok', ...notes.split(' ')].flatMap((note) =>
      note === '' || isThere(type, note) ? [] : [`${type} ${note}`],
    ),
  );
}
