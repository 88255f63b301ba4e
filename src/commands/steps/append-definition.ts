import { digestChanges, sealEntry } from '../../domain/log-entry.js';
import { appendCommits } from '../../store/commits.js';
import type { Tx } from '../../store/db.js';
import type { LockedHead } from '../../store/head.js';

/** Puts a definition's coming into force (or a collection's end: number null) into the log. */
export function appendDefinitionCommit(
  tx: Tx,
  head: LockedHead,
  entry: { author: string; definition: { collection: string; number: number | null; digest: string | null } },
): number {
  const revision = head.revision + 1;
  const committedAt = head.now;
  const fields = {
    revision,
    kind: 'definition' as const,
    committedAt,
    author: entry.author,
    message: null,
    changeset: null,
    reverts: null,
    forced: false,
  };
  const { content, hash } = sealEntry(
    {
      ...fields,
      definition: entry.definition,
      definitions: [],
      changeCount: 0,
      changesDigest: digestChanges([]),
    },
    head.hash,
  );
  appendCommits(tx, [{ ...fields, changeCount: 0, content, previousHash: head.hash, hash }]);
  return revision;
}
