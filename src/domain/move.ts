import { sha256 } from '../lib/digest.js';
import type { JsonObject } from '../lib/json-value.js';
import type { ChangeSummary } from './commit.js';
import type { ReferenceValue } from './definition/constraints.js';
import type { Failure } from './failure.js';
import type { LoggedChange } from './log-entry.js';
import type { AfterSource, PlannedMove, State } from './plan.js';

/** A value that a record would hold alone. */
export interface UniqueClaim {
  collectionId: number;
  /** The pointers of the definition's list, as canonical JSON. */
  pointers: string;
  digest: Buffer;
  /** The first of the pointers, for failures. */
  pointer: string;
}

/** What a state of a record holds of the rules across records. */
export interface Ties {
  claims: UniqueClaim[];
  references: ReferenceValue[];
}

/** What the schema and the rules of its own collection say of a move; of many failures only the first may be kept. */
interface Verdict {
  errors: Failure[];
  warnings: Failure[];
  errorCount: number;
  warningCount: number;
  work: number;
}

/**
 * One record's move, weighed: what its own schema and rules say of it is known, and its data is no longer
 * needed, so that a hundred thousand of them fit into memory.
 */
export interface Move extends Omit<PlannedMove, 'before' | 'after'> {
  before: (Omit<State, 'data'> & Ties) | null;
  after: ({ digest: string } & AfterSource & Ties) | null;
  own: Verdict;
}

/** Holds a move against the schema and the rules of its own collection. The costly part of judging. */
export function weighMove(planned: PlannedMove): Move {
  const { before, after, collection } = planned;
  const { errors, warnings, work } = collection.definition.judge({
    data: after?.data ?? null,
    current: collection.definition.looksAtCurrent ? (before?.data ?? null) : null,
    key: planned.key,
    operation: planned.operation,
  });
  return {
    ...planned,
    before: before && {
      versionId: before.versionId,
      number: before.number,
      digest: before.digest,
      ...tiesOf(planned, before),
    },
    after: after && { ...withoutData(after), ...tiesOf(planned, after) },
    own: { errors, warnings, errorCount: errors.length, warningCount: warnings.length, work },
  };
}

/** The number that the record's current version has after the move, if its next version has the next number. */
function numberAfter({ after, lastNumber }: Move): number | null {
  if (after === null) return null;
  return after.source === 'existing' ? after.number : lastNumber + 1;
}

/** A move as the answer to its commit tells of it. */
export function toSummary(move: Move): ChangeSummary {
  return {
    collection: move.collection.name,
    key: move.key,
    operation: move.operation,
    before: move.before?.number ?? null,
    after: numberAfter(move),
  };
}

/** A move as the log tells of it. */
export function toLoggedChange(move: Move): LoggedChange {
  return {
    beforeDigest: move.before?.digest ?? null,
    afterDigest: move.after?.digest ?? null,
    ...toSummary(move),
  };
}

/** Forgets most of what is wrong with a move, where there is too much to be listed; it is still counted. */
export function forgetFailures(move: Move): void {
  move.own.errors = move.own.errors.slice(0, 1);
  move.own.warnings = move.own.warnings.slice(0, 1);
}

type WithoutData<S> = S extends unknown ? Omit<S, 'data'> : never;

function withoutData<S extends { data: JsonObject }>({ data, ...rest }: S): WithoutData<S> {
  return rest as WithoutData<S>;
}

const noTies: Ties = { claims: [], references: [] };

function tiesOf({ collection }: PlannedMove, state: { data: JsonObject }): Ties {
  if (!collection.definition.hasTies) return noTies;
  const { data } = state;
  return {
    claims: collection.definition.uniqueValues(data).map(({ constraint, pointer, value }) => ({
      collectionId: collection.id,
      pointers: constraint,
      digest: sha256(value),
      pointer,
    })),
    references: collection.definition.references(data),
  };
}
