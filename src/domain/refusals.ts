import { DiptychError } from './errors.js';

export function collectionNotFound(name: string): DiptychError {
  return new DiptychError('collection-not-found', `There is no collection ${name}.`);
}

/** The refusal of a receipt, naming what differs. */
export function receiptStale(
  changed: ('content' | 'definition' | 'current' | 'unique' | 'references')[],
  detail: string,
  etag: string,
): DiptychError {
  return new DiptychError('receipt-stale', detail, { extensions: { changed, etag } });
}

export function pendingNotFound(at: { collection: string; key: string }): DiptychError {
  return new DiptychError(
    'pending-not-found',
    `Nothing is pending for ${JSON.stringify(at.key)} in ${at.collection}.`,
  );
}

/** 404 for a record that readers have never seen, 410 for one that was deleted. */
export function recordNotFound(
  at: { collection: string; key: string },
  deletedAtRevision: number | null,
): DiptychError {
  const name = `${JSON.stringify(at.key)} in ${at.collection}`;
  return deletedAtRevision === null
    ? new DiptychError('record-not-found', `There is no record ${name}.`)
    : new DiptychError('record-deleted', `The record ${name} was deleted in revision ${deletedAtRevision}.`, {
        extensions: { revision: deletedAtRevision },
      });
}

export function versionNotFound(at: { collection: string; key: string }, number: number): DiptychError {
  return new DiptychError(
    'version-not-found',
    `${JSON.stringify(at.key)} in ${at.collection} has no committed version ${number}.`,
  );
}

export function commitNotFound(revision: number, head: number): DiptychError {
  return new DiptychError('commit-not-found', `There is no commit ${revision}: the head is ${head}.`, {
    extensions: { head },
  });
}
