import { editedFrom } from './commits.js';
import type { Laws } from './laws.js';
import type { Of, Saw } from './operations.js';
import { checkSaw, requireChangeset } from './pendings.js';
import {
  currentData,
  currentNumber,
  type Data,
  findPending,
  nextStamp,
  type Pending,
  pendingName,
  Refusal,
  requireCollection,
  type State,
  sameData,
} from './state.js';

type Line = Of<'stage-lines'>['lines'][number];

/** Stages lines into a changeset: each sees those before it, and one that is refused stops none of the others. */
export function stageLines(state: State, laws: Laws, op: Of<'stage-lines'>): unknown {
  const changeset = requireChangeset(state, op.title, laws.scheduleCloses ? ['open'] : ['open', 'scheduled']);
  if (op.saw !== undefined) checkSaw(laws, changeset, { saw: op.saw, required: true });
  const errors: string[] = [];
  const report = { staged: 0, unchanged: 0, failed: 0, errors };
  const touched = new Set<Pending>();
  for (const [index, line] of op.lines.entries()) {
    try {
      const member = stageLine(state, op, line);
      if (member) touched.add(member);
      report[member ? 'staged' : 'unchanged'] += 1;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      report.failed += 1;
      errors.push(`${index + 1} ${error.code}`);
    }
  }
  // However many lines were about it, it is one edit.
  for (const member of touched) member.stamp = nextStamp(state, pendingName(member));
  if (touched.size > 0) changeset.stamp = nextStamp(state, op.title);
  return report;
}

/** Answers the member that the line has changed; null when everything is so already. */
function stageLine(state: State, op: Of<'stage-lines'>, line: Line): Pending | null {
  const { collection, key } = line;
  requireCollection(state, collection);
  const pending = findPending(state, line, op.title);
  const data = dataAfter(state, line, pending);
  const isWhole = line.operation === 'put' || line.operation === 'delete';
  const message = line.message ?? (isWhole ? null : (pending?.message ?? null));
  if (pending === undefined) {
    if (data !== null && sameData(data, currentData(state, line))) return null;
    const base = currentNumber(state, line);
    const at = { collection, key, changeset: op.title };
    const member = { ...at, data, base, message, stagedBy: [op.by.name], stamp: '', validation: null };
    state.pendings.push(member);
    return member;
  }
  const sameMessage = line.message === undefined || line.message === pending.message;
  if (sameData(data, pending.data) && sameMessage) return null;
  if (isWhole) requireSight(op.saw);
  const stagedBy = [...new Set([...pending.stagedBy, op.by.name])];
  return Object.assign(pending, { data, message, stagedBy });
}

function requireSight(saw: Saw | undefined): void {
  if (saw === undefined) throw new Refusal('precondition-required');
}

function dataAfter(state: State, line: Line, pending: Pending | undefined): Data | null {
  if (line.operation === 'put') return line.data;
  const data = pending ? pending.data : currentData(state, line);
  if (line.operation === 'delete') {
    const isGoing = pending !== undefined && pending.data === null;
    if (currentNumber(state, line) === null && !isGoing) throw new Refusal('record-not-found');
    return null;
  }
  if (data === null) throw new Refusal('record-not-found');
  return editedFrom(data, line);
}
