import { isMoveAllowed, isWhole } from './judge.js';
import type { Laws } from './laws.js';
import type { Of } from './operations.js';
import { checkSaw, moveOf, receiptOf, requireChangeset } from './pendings.js';
import { publish } from './publish.js';
import { uniqueValues } from './rules.js';
import {
  type Changeset,
  currentNumber,
  isSame,
  membersOf,
  nextStamp,
  type Pending,
  Refusal,
  requireCollection,
  type State,
} from './state.js';

const waiting: Changeset['state'][] = ['open', 'scheduled'];

export function createChangeset(state: State, _laws: Laws, { title, by }: Of<'create-changeset'>): unknown {
  state.changesets.set(title, {
    title,
    state: 'open',
    createdBy: by.name,
    stamp: nextStamp(state, title),
    approvals: [],
    validation: null,
    scheduledBy: null,
    refusal: null,
    closedBy: null,
    revision: null,
  });
  return {};
}

export const isApprovalValid = (laws: Laws, changeset: Changeset, approval: { stamp: string }) =>
  !laws.editVoidsApprovals || approval.stamp === changeset.stamp;

function approversOf(laws: Laws, changeset: Changeset): number {
  const valid = changeset.approvals.filter((approval) => isApprovalValid(laws, changeset, approval));
  return new Set(valid.map(({ approver }) => approver)).size;
}

const movesOf = (state: State, members: Pending[]) =>
  members.flatMap((member) => moveOf(state, member) ?? []);

const isOutdated = (state: State, member: Pending) => member.base !== currentNumber(state, member);

/** The definitions that its members are held against. */
const definitionsOf = (state: State, members: Pending[]) =>
  new Map(members.map(({ collection }) => [collection, requireCollection(state, collection).number]));

const show = (definitions: Map<string, number>) => [...definitions].map((pair) => pair.join(' ')).join();

/** Whether a validation is about the content and the definitions that there are; a closed changeset keeps its last. */
export function isValidationFresh(state: State, { state: is, stamp, validation }: Changeset): boolean {
  if (validation?.stamp !== stamp) return false;
  const inForce = (name: string) =>
    state.collections.get(name)?.inForce && state.collections.get(name)?.number;
  return (
    !waiting.includes(is) || [...validation.definitions].every(([name, number]) => inForce(name) === number)
  );
}

function report(state: State, laws: Laws, changeset: Changeset): { valid: boolean } {
  const members = membersOf(state, changeset.title);
  const moves = movesOf(state, members);
  const approvers = approversOf(laws, changeset);
  const valid =
    !members.some((member) => isOutdated(state, member)) &&
    moves.every((move) => isMoveAllowed(state, move)) &&
    isWhole(state, laws, moves);
  changeset.validation = { stamp: changeset.stamp, valid, definitions: definitionsOf(state, members) };
  const collections = [...new Set(moves.map(({ collection }) => collection))];
  const missingApprovals = collections.flatMap((collection) => {
    const required = requireCollection(state, collection).rules.approvals;
    return required > approvers ? [{ collection, required, missing: required - approvers }] : [];
  });
  return Object.assign(
    { valid },
    { memberCount: members.length, missingApprovals, overlaps: overlapsOf(state, changeset, collections) },
  );
}

/** Other changesets that wait and touch the same records, or want the same unique values. */
function overlapsOf(state: State, changeset: Changeset, collections: string[]) {
  const mine = membersOf(state, changeset.title);
  const others = [...state.changesets.values()].sort((a, b) => (a.title < b.title ? -1 : 1));
  return others.flatMap((other) => {
    if (other === changeset || !waiting.includes(other.state)) return [];
    const theirs = membersOf(state, other.title);
    const pairs = mine.flatMap((one) => theirs.map((another) => [one, another] as const));
    const records = pairs.filter(([one, another]) => isSame(one, another)).length;
    const values = new Set(pairs.flatMap(([one, another]) => sharedValues(state, collections, one, another)))
      .size;
    return records + values > 0 ? [{ changeset: other.title, records, values }] : [];
  });
}

function sharedValues(state: State, collections: string[], one: Pending, another: Pending): string[] {
  if (one.collection !== another.collection || one.key === another.key) return [];
  if (!collections.includes(one.collection) || one.data === null || another.data === null) return [];
  const { rules } = requireCollection(state, one.collection);
  const others = uniqueValues(rules, another.data);
  return uniqueValues(rules, one.data)
    .filter((value) => others.includes(value))
    .map((value) => `${one.collection} ${value}`);
}

export function validateChangeset(state: State, laws: Laws, op: Of<'validate-changeset'>): unknown {
  const changeset = requireChangeset(state, op.title, waiting);
  const answer = report(state, laws, changeset);
  const definitions = show(definitionsOf(state, membersOf(state, op.title)));
  const { title, stamp } = changeset;
  if (answer.valid) state.receipts.set(op.receipt, { of: 'changeset', title, stamp, definitions });
  return answer;
}

/** What is refused before the commit is on its way. */
export function prepareCommitChangeset(state: State, op: Of<'commit-changeset'>): void {
  if (!state.changesets.has(op.title)) throw new Refusal('changeset-not-found');
  if (op.saw === undefined && op.receipt === undefined) throw new Refusal('precondition-required');
}

function requireFresh(
  laws: Laws,
  changeset: Changeset,
  op: Of<'commit-changeset' | 'schedule-changeset'>,
  state: State,
) {
  if (op.saw !== undefined) checkSaw(laws, changeset, { saw: op.saw, required: true });
  const receipt = receiptOf(state, op.receipt);
  if (receipt === undefined) return undefined;
  const { title, stamp } = changeset;
  if (receipt.of !== 'changeset' || receipt.title !== title || receipt.stamp !== stamp)
    throw new Refusal('receipt-stale');
  const definitions = show(definitionsOf(state, membersOf(state, title)));
  if (receipt.definitions !== definitions && laws.receiptKnowsDefinitions) throw new Refusal('receipt-stale');
  return receipt;
}

export function commitChangeset(state: State, laws: Laws, op: Of<'commit-changeset'>): unknown {
  const changeset = requireChangeset(state, op.title, ['open']);
  const receipt = requireFresh(laws, changeset, op, state);
  return publishChangeset(state, laws, changeset, {
    author: op.by.name,
    message: op.message ?? op.title,
    validated: receipt !== undefined,
  });
}

function publishChangeset(
  state: State,
  laws: Laws,
  changeset: Changeset,
  by: { author: string; message: string; validated: boolean },
): unknown {
  const members = membersOf(state, changeset.title);
  const outdated = laws.baseIsHeld && members.some((member) => isOutdated(state, member));
  const moves = movesOf(state, members);
  return publish(state, laws, {
    kind: 'commit',
    ...by,
    changeset: changeset.title,
    approvers: approversOf(laws, changeset),
    moves: laws.changesetIsWhole || moves.length < 2 ? moves : moves.slice(1),
    consumes: members,
    refusals: outdated ? ['base-outdated'] : [],
  });
}

export function approveChangeset(
  state: State,
  laws: Laws,
  { title, by, saw }: Of<'approve-changeset'>,
): unknown {
  const changeset = requireChangeset(state, title, waiting);
  checkSaw(laws, changeset, { ...(saw === undefined ? {} : { saw }), required: true });
  const hasStaged = membersOf(state, title).some(({ stagedBy }) => stagedBy.includes(by.name));
  if (by.anonymous || (hasStaged && laws.stagersDoNotApprove)) throw new Refusal('approval-refused');
  const { stamp, approvals } = changeset;
  const isThere = approvals.some((approval) => approval.approver === by.name && approval.stamp === stamp);
  if (!isThere) approvals.push({ approver: by.name, stamp });
  return {};
}

export function discardChangeset(
  state: State,
  laws: Laws,
  { title, by, saw }: Of<'discard-changeset'>,
): unknown {
  const changeset = requireChangeset(state, title, ['open']);
  checkSaw(laws, changeset, { ...(saw === undefined ? {} : { saw }), required: true });
  if (laws.discardTakesMembers)
    state.pendings = state.pendings.filter((pending) => pending.changeset !== title);
  Object.assign(changeset, { state: 'discarded', closedBy: by.name });
  return {};
}

export function scheduleChangeset(state: State, laws: Laws, op: Of<'schedule-changeset'>): unknown {
  const there = state.changesets.has(op.title);
  if (there && op.saw === undefined && op.receipt === undefined) throw new Refusal('precondition-required');
  const changeset = requireChangeset(state, op.title, waiting);
  const answer = report(state, laws, changeset);
  requireFresh(laws, changeset, op, state);
  if (op.past) throw new Refusal('invalid-request');
  Object.assign(changeset, { state: 'scheduled', scheduledBy: op.by.name, refusal: null });
  return answer;
}

export function unscheduleChangeset(
  state: State,
  _laws: Laws,
  { title }: Of<'unschedule-changeset'>,
): unknown {
  const changeset = requireChangeset(state, title, waiting);
  if (changeset.state === 'scheduled')
    Object.assign(changeset, { state: 'open', scheduledBy: null, refusal: null });
  return {};
}

/** Carries a schedule out. A refused one opens again, with the reason. */
export function commitScheduled(state: State, laws: Laws, { title }: Of<'commit-scheduled'>): unknown {
  const changeset = state.changesets.get(title);
  if (changeset?.state !== 'scheduled' || changeset.scheduledBy === null) return [];
  try {
    const head = state.log.length;
    const by = { author: changeset.scheduledBy, message: title, validated: false };
    publishChangeset(state, laws, changeset, by);
    return [{ revision: state.log.length > head ? state.log.length : null }];
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    Object.assign(changeset, { state: 'open', scheduledBy: null, refusal: error.code });
    return [{ refused: error.code }];
  }
}
