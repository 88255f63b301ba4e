import type { CommitResult } from './commit.js';
import type { DiptychError } from './errors.js';
import type { Move } from './move.js';

/** A commit that has happened. */
export interface Committed {
  result: CommitResult;
  /** True when this is the kept answer to an earlier request with the same Idempotency-Key. */
  replayed: boolean;
  /** All that it moved, of which `result` lists the first; a kept answer has that no more. */
  moves?: Move[];
}

/**
 * What became of one commit of a list. `stale`: what it was prepared from has changed in a way that decides
 * nothing, so that it is to be prepared again.
 */
export type Outcome = Committed | { refused: DiptychError } | { stale: true };

/** Nothing was decided about a commit, because those before it were work enough for one transaction. */
export interface Postponed {
  postponed: true;
}
