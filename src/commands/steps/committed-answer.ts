import { recordTag } from '../../domain/entity-tag.js';
import type { Move } from '../../domain/move.js';
import { recordText } from '../../domain/record-text.js';
import type { CommitRow } from '../../store/commits.js';
import type { CommittedAnswer } from '../../store/read-cache.js';

/**
 * How to make what readers are told of a record from now on, so that those who read it all the time need not ask the
 * database. Null where its content is not at hand, or it has gone.
 */
export function committedAnswer(move: Move, row: CommitRow): CommittedAnswer | null {
  const { after, collection, key, lastNumber } = move;
  if (after === null || after.source === 'existing' || after.content === undefined) return null;
  const { content, digest } = after;
  const { revision, committedAt, author: committedBy, message } = row;
  const version = lastNumber + 1;
  const shown = { collection: collection.name, key, version, revision, committedAt, committedBy, message };
  return {
    make: () => ({
      type: 'record',
      text: recordText(shown, content),
      tag: recordTag({ revision, digest }),
    }),
    texts: message === null ? [content, digest] : [content, digest, message],
  };
}
