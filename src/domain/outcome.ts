import type { CommitResult } from './commit.js';
import type { DiptychError } from './errors.js';

/** A commit that has happened. */
export interface Committed {
  result: CommitResult;
  /** True when this is the kept answer to an earlier request with the same Idempotency-Key. */
  replayed: boolean;
}

/** What became of one commit of a list. */
export type Outcome = Committed | { refused: DiptychError };
