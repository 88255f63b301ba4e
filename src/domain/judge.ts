import type { Failure } from './failure.js';
import type { Move } from './move.js';

/** What the judgement of a commit needs to know of the records that it does not touch. */
export interface World {
  /** By `claimName`: the live record that holds a value. */
  holders: Map<string, { recordId: number; key: string }>;
  /** By `recordName`: ids of live records that are referred to. */
  live: Map<string, number>;
  /** By `recordName` of the target: who refers to it, but for records of the same commit. */
  referrers: Map<string, { collection: string; key: string; pointer: string }[]>;
}

export const claimName = (claim: { collectionId: number; pointers: string; digest: Buffer }) =>
  `${claim.collectionId} ${claim.pointers} ${claim.digest.toString('hex')}`;

export const recordName = (record: { collection: string; key: string }) =>
  `${record.collection} ${record.key}`;

export const nameOf = (move: Pick<Move, 'collection' | 'key'>) =>
  recordName({ collection: move.collection.name, key: move.key });

/** What a move reads and writes of the rules across records; two that overlap are judged one after the other. */
export function footprintOf(move: Move): { writes: string[]; reads: string[] } {
  const states = [move.before, move.after];
  return {
    writes: [nameOf(move), ...states.flatMap((state) => state?.claims.map(claimName) ?? [])],
    reads: states.flatMap((state) => state?.references.map(recordName) ?? []),
  };
}

/** Failures that a judgement lists at most of each sort; all are counted. */
const listedFailures = 1_000;

export interface Judgement {
  errors: Failure[];
  warnings: Failure[];
  errorCount: number;
  warningCount: number;
  /** Which rules across records failed: what a receipt cannot have seen. */
  broken: Set<'unique' | 'references'>;
}

/**
 * Judges the state after a commit: schema and rules of each record that moves, then what must hold across
 * records. Members of one commit are judged together: order never matters, values may swap, references may
 * form cycles, deletions count.
 */
export function judgeMoves(moves: Move[], world: World): Judgement {
  const judgement: Judgement = {
    errors: [],
    warnings: [],
    errorCount: 0,
    warningCount: 0,
    broken: new Set(),
  };
  // Only the rules across records look for other moves.
  const tied = moves.some(({ collection }) => collection.definition.hasTies) ? moves : [];
  const after = new Map(tied.map((move) => [nameOf(move), move]));
  const movedIds = new Set(tied.map((move) => move.recordId));
  const claimed = new Map<string, Move>();
  for (const move of moves) {
    const add = (
      sort: 'error' | 'warning',
      failures: Failure[],
      { pointer = move.pointer, count = failures.length } = {},
    ) => {
      const listed = sort === 'error' ? judgement.errors : judgement.warnings;
      for (const failure of failures.slice(0, Math.max(0, listedFailures - listed.length))) {
        listed.push({
          ...failure,
          pointer: pointer + failure.pointer,
          collection: move.collection.name,
          key: move.key,
        });
      }
      judgement[`${sort}Count`] += count;
    };
    const { own } = move;
    add(move.forced ? 'warning' : 'error', own.errors, { count: own.errorCount });
    add('warning', own.warnings, { count: own.warningCount });

    for (const claim of move.after?.claims ?? []) {
      const name = claimName(claim);
      const holder = world.holders.get(name);
      const rival = claimed.get(name);
      claimed.set(name, move);
      const other = holder && !movedIds.has(holder.recordId) ? holder.key : rival?.key;
      if (other === undefined) continue;
      judgement.broken.add('unique');
      const message = `must be unique, and the record ${JSON.stringify(other)} has the same value`;
      add('error', [{ pointer: claim.pointer, code: 'unique', message }]);
    }

    for (const reference of move.after?.references ?? []) {
      const target = after.get(recordName(reference));
      if (target ? target.after !== null : world.live.has(recordName(reference))) continue;
      judgement.broken.add('references');
      const message = `must be the key of a live record of ${reference.collection}, and ${JSON.stringify(reference.key)} is none`;
      add('error', [{ pointer: reference.pointer, code: 'reference', message }]);
    }

    if (move.after === null) {
      const referrers = world.referrers.get(nameOf(move)) ?? [];
      if (referrers.length > 0) judgement.broken.add('references');
      const failures = referrers.map((referrer) => ({
        pointer: '',
        code: 'referenced',
        message: `cannot be deleted: ${JSON.stringify(referrer.key)} of ${referrer.collection} refers to it at ${referrer.pointer}`,
      }));
      add('error', failures, { pointer: move.pointer.replace(/\/data$/, '') });
    }
  }
  return judgement;
}
