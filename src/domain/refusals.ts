import type { Actor } from './actor.js';
import { DiptychError } from './errors.js';
import type { Failure } from './failure.js';

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

export function changesetNotFound(id: string): DiptychError {
  return new DiptychError('changeset-not-found', `There is no changeset ${id}.`);
}

export function changesetClosed(id: string, state: string): DiptychError {
  return new DiptychError('changeset-closed', `The changeset ${id} is ${state}.`, { extensions: { state } });
}

/** The refusal while a long call holds a changeset. */
export function changesetBusy(id: string): DiptychError {
  return new DiptychError('changeset-busy', `The changeset ${id} is being edited by another call.`, {
    retryAfterSeconds: 1,
  });
}

/** A record that a revert finds at another version than the one that the commit left. */
export function revertFailure(
  at: { collection: string; key: string; fromVersion: number | null },
  present: number | null,
): Failure {
  return {
    pointer: '',
    code: 'moved',
    message: `has moved since: it is at ${present === null ? 'no live version' : `version ${present}`} now, and the commit left ${at.fromVersion === null ? 'none' : `version ${at.fromVersion}`}`,
    collection: at.collection,
    key: at.key,
  };
}

export function revertConflict(errors: Failure[]): DiptychError {
  const count = errors.length === 1 ? 'One record has' : `${errors.length} records have`;
  return new DiptychError('revert-conflict', `${count} moved since that commit.`, { errors });
}

/** The refusal of members of a changeset whose records moved since they were staged. */
export function membersOutdated(changeset: string, errors: Failure[]): DiptychError {
  const count = errors.length === 1 ? 'One member was' : `${errors.length} members were`;
  return new DiptychError('base-outdated', `${count} started from a version that is no longer current.`, {
    extensions: { rebase: `/v1/changesets/${changeset}/rebase` },
    errors,
  });
}

export function preconditionFailed(what: string, tag: string): DiptychError {
  return new DiptychError(
    'precondition-failed',
    `The ${what} is not what If-Match names: it is ${tag} now.`,
    {
      extensions: { etag: tag },
    },
  );
}

/** @throws DiptychError `permission-required` unless the caller may override rules */
export function requireAdminToForce(actor: Actor, what: string): void {
  if (actor.admin) return;
  throw new DiptychError(
    'permission-required',
    `${what} past the rules (\`force\`) needs the permission \`admin\`.`,
    { extensions: { permission: 'admin' } },
  );
}
