import { DiptychError } from './errors.js';
import type { FeedFilter } from './feed-change.js';
import type { Position } from './feed-page.js';
import { wholeCommit } from './feed-page.js';

/** The refusal of a read below the horizon of its collection. */
export function revisionCompacted(collection: string, revision: number, horizon: number): DiptychError {
  return new DiptychError(
    'revision-compacted',
    `Retention has removed data that readers of ${collection} saw at revision ${revision}; what they saw from ${horizon} on is whole.`,
    { extensions: { horizon } },
  );
}

/** The refusal of a version whose data retention deleted. */
export function versionExpired(at: { collection: string; key: string }, number: number): DiptychError {
  return new DiptychError(
    'version-expired',
    `Retention deleted the data of version ${number} of ${JSON.stringify(at.key)} in ${at.collection}.`,
  );
}

/** Whether what follows a position in the feed may lack data: the change at the horizon itself has lost a side. */
export function isBelowHorizon(position: Position, horizon: number): boolean {
  if (position.revision !== horizon) return position.revision < horizon;
  return horizon > 0 && position.ordinal < wholeCommit;
}

/** The refusal of such a position, with the way on: what is there now, and the feed after it. */
export function positionExpired(horizon: number, head: number, filter: FeedFilter): DiptychError {
  return new DiptychError(
    'position-expired',
    `Retention has removed data of changes up to revision ${horizon}. Take the records as they are at revision ${head} (\`resume.records\`; with \`Accept: application/x-ndjson\` as one export) and go on with the feed after it (\`resume.changes\`).`,
    { extensions: { horizon, head, resume: resumeAt(head, filter) } },
  );
}

/** Links to the records at a revision, and to the changes after it, that a reader of this part of the feed asks for. */
function resumeAt(revision: number, { collection, keyPrefix }: FeedFilter) {
  const ofKeys = keyPrefix === null ? '' : `&keyPrefix=${encodeURIComponent(keyPrefix)}`;
  return {
    // Of each collection, where none is named.
    records: `/v1/collections/${collection ?? '{collection}'}/records?revision=${revision}${ofKeys}`,
    changes: `/v1/changes?after=${revision}${collection === null ? '' : `&collection=${collection}`}${ofKeys}`,
  };
}
