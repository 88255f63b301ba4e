import type { Conflict } from '../lib/merge-json.js';
import { DiptychError, type Extensions } from './errors.js';
import type { Failure } from './failure.js';
import { maxListedFailures } from './rebase.js';

/** Conflicts that a refusal lists at most; all are counted. */
export const maxListedConflicts = 1_000;
/** Their JSON together, in UTF-16 code units, but for the first. */
const maxListedLength = 16 * 1024 * 1024;

/** A conflict, with the record that it is in where a call is about several. */
export type ListedConflict = Conflict & { collection?: string; key?: string };

/** The conflicts that a refusal tells of. */
export class ConflictList {
  readonly listed: ListedConflict[] = [];
  count = 0;
  #length = 0;

  add(conflicts: readonly Conflict[], address: { collection?: string; key?: string } = {}): void {
    this.count += conflicts.length;
    for (const conflict of conflicts) {
      if (this.listed.length === maxListedConflicts || this.#length > maxListedLength) return;
      this.#length += JSON.stringify(conflict).length;
      if (this.#length > maxListedLength && this.listed.length > 0) return;
      this.listed.push({ ...address, ...conflict });
    }
  }
}

/** The refusal of a rebase that somebody has to decide something for. */
export function rebaseConflict(conflicts: ConflictList, extensions: Extensions): DiptychError {
  const places = conflicts.count === 1 ? 'One place was' : `${conflicts.count} places were`;
  return new DiptychError('rebase-conflict', `${places} changed on both sides; nothing has been rebased.`, {
    extensions: { conflicts: conflicts.listed, conflictCount: conflicts.count, ...extensions },
  });
}

/** The refusal of resolutions that settle nothing, or settle it with what cannot be. */
export function resolutionsRefused(failures: Failure[]): DiptychError {
  return new DiptychError('invalid-request', 'Some resolutions cannot be used; see errors.', {
    errors: failures.slice(0, maxListedFailures),
  });
}
