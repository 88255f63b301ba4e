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

export interface Judgement {
  errors: Failure[];
  warnings: Failure[];
  /** Which rules across records failed: what a receipt cannot have seen. */
  broken: Set<'unique' | 'references'>;
}

/**
 * Judges the state after a commit: schema and rules of each record that moves, then what must hold across
 * records. Members of one commit are judged together: order never matters, values may swap, references may
 * form cycles, deletions count.
 */
export function judgeMoves(moves: Move[], world: World): Judgement {
  const judgement: Judgement = { errors: [], warnings: [], broken: new Set() };
  const after = new Map(moves.map((move) => [nameOf(move), move]));
  const movedIds = new Set(moves.map((move) => move.recordId));
  const claimed = new Map<string, Move>();
  for (const move of moves) {
    const add = (failures: Failure[], into: Failure[]) => {
      for (const failure of failures) {
        into.push({
          ...failure,
          pointer: move.pointer + failure.pointer,
          collection: move.collection.name,
          key: move.key,
        });
      }
    };
    const { own } = move;
    if (!move.forced) add(own.errors, judgement.errors);
    add(move.forced ? [...own.errors, ...own.warnings] : own.warnings, judgement.warnings);

    for (const claim of move.after?.claims ?? []) {
      const name = claimName(claim);
      const holder = world.holders.get(name);
      const rival = claimed.get(name);
      claimed.set(name, move);
      const other = holder && !movedIds.has(holder.recordId) ? holder.key : rival?.key;
      if (other === undefined) continue;
      judgement.broken.add('unique');
      add(
        [
          {
            pointer: claim.pointer,
            code: 'unique',
            message: `must be unique, and the record ${JSON.stringify(other)} has the same value`,
          },
        ],
        judgement.errors,
      );
    }

    for (const reference of move.after?.references ?? []) {
      const target = after.get(recordName(reference));
      if (target ? target.after !== null : world.live.has(recordName(reference))) continue;
      judgement.broken.add('references');
      add(
        [
          {
            pointer: reference.pointer,
            code: 'reference',
            message: `must be the key of a live record of ${reference.collection}, and ${JSON.stringify(reference.key)} is none`,
          },
        ],
        judgement.errors,
      );
    }

    if (move.after === null) {
      const referrers = world.referrers.get(nameOf(move)) ?? [];
      if (referrers.length > 0) judgement.broken.add('references');
      for (const referrer of referrers) {
        judgement.errors.push({
          pointer: move.pointer.replace(/\/data$/, ''),
          code: 'referenced',
          message: `cannot be deleted: ${JSON.stringify(referrer.key)} of ${referrer.collection} refers to it at ${referrer.pointer}`,
          collection: move.collection.name,
          key: move.key,
        });
      }
    }
  }
  return judgement;
}
