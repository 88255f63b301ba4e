import { DiptychError } from './errors.js';
import type { Move } from './move.js';

/** How many approvals the collection of a change asks for, and how many are still missing. */
export interface MissingApprovals {
  collection: string;
  required: number;
  missing: number;
}

/** What the moves of a commit still need; a move that is forced needs nothing. */
export function computeMissingApprovals(moves: Move[], approvers: number): MissingApprovals[] {
  const required = new Map(
    moves
      .filter(({ forced, collection }) => !forced && collection.definition.approvalsRequired > approvers)
      .map(({ collection }) => [collection.name, collection.definition.approvalsRequired]),
  );
  return [...required].map(([collection, count]) => ({
    collection,
    required: count,
    missing: count - approvers,
  }));
}

export function approvalRequired(missing: MissingApprovals[]): DiptychError {
  const most = Math.max(...missing.map((each) => each.missing));
  return new DiptychError(
    'approval-required',
    `${most} more ${most === 1 ? 'person has' : 'people have'} to approve this before it goes live.`,
    {
      extensions: { missing },
      errors: missing.map((each) => ({
        pointer: '',
        code: 'approval-required',
        message: `${each.collection} asks for ${each.required} approvals, and ${each.missing} are missing`,
        collection: each.collection,
      })),
    },
  );
}
