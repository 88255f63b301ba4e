import { changesetDigest, type MemberContent, type StoredChangeset } from '../../domain/changeset.js';
import type { Failure } from '../../domain/failure.js';
import type { CommitRequest, MemberIntent } from '../../domain/intent.js';
import type { Found } from '../../domain/plan.js';
import type { Prepared, PreparedChangeset } from '../../domain/prepared.js';
import { changesetNotFound, membersOutdated } from '../../domain/refusals.js';
import { findChangeset, listMembers, lockChangeset } from '../../store/changesets.js';
import { type Snapshot, withSnapshot, withTransaction } from '../../store/db.js';
import type { Context } from '../context.js';
import { prepareMoves } from './prepare-moves.js';

const batchSize = 500;

/** Outdated members that are named at most; all are counted. */
const listedOutdated = 1_000;

/** A changeset, planned and weighed as it is on a snapshot. */
export interface ChangesetOnSnapshot {
  stored: StoredChangeset;
  prepared: Prepared & { changeset: PreparedChangeset };
  /** Members whose records moved since they were staged; at most 1,000. */
  outdated: Failure[];
  outdatedCount: number;
}

/**
 * Reads a changeset whole, in batches, and reduces its members to their moves.
 *
 * @throws DiptychError `changeset-not-found`, `work-limit`
 */
export async function readChangeset(
  snapshot: Snapshot,
  context: Pick<Context, 'definitions' | 'limits'>,
  id: string,
): Promise<ChangesetOnSnapshot> {
  const stored = await findChangeset(snapshot, id);
  if (stored === null) throw changesetNotFound(id);
  const contents: MemberContent[] = [];
  const outdated: Failure[] = [];
  let outdatedCount = 0;
  const look = ({ pending, current }: Found, { collection, key }: { collection: string; key: string }) => {
    if (pending === null) return;
    const { operation, content } = pending;
    contents.push({ collection, key, operation, digest: content?.digest ?? null });
    if (pending.baseVersionId === (current?.versionId ?? null)) return;
    outdatedCount += 1;
    if (outdated.length < listedOutdated)
      outdated.push(outdatedMember({ collection, key }, pending, current));
  };
  const moves = await prepareMoves(snapshot, context, membersOf(snapshot, id), look);
  const refusals = [...moves.refusals, ...(outdated.length > 0 ? [membersOutdated(id, outdated)] : [])];
  const digest = await changesetDigest(contents);
  return {
    stored,
    outdated,
    outdatedCount,
    prepared: { ...moves, refusals, changeset: { id, edit: stored.edit, digest, seen: {} } },
  };
}

/**
 * Prepares the commit of a changeset, unless it has just been judged here: then whatever has changed since is found
 * under the head's lock, and it comes here once more.
 */
export async function prepareChangeset(
  context: Pick<Context, 'db' | 'definitions' | 'limits' | 'longWork' | 'judged'>,
  id: string,
  seen: PreparedChangeset['seen'],
): Promise<Pick<CommitRequest, 'message' | 'prepared'>> {
  const { stored, prepared } = (await takeJudged(context, id)) ?? (await readUnedited(context, id));
  return {
    message: stored.message ?? stored.title,
    prepared: { ...prepared, changeset: { ...prepared.changeset, seen } },
  };
}

/**
 * Only if the changeset tells of that very validation: edits are counted, and a database that was restored to an earlier
 * state under the running service counts them anew.
 */
async function takeJudged({ db, judged }: Pick<Context, 'db' | 'judged'>, id: string) {
  const taken = judged.take(id);
  if (taken === undefined) return undefined;
  const stored = await findChangeset(db, id);
  return stored?.validation?.at === taken.at ? taken : undefined;
}

/** Waits until nobody is editing it: edits may take long, and whoever holds the head's lock does not wait for them. */
function readUnedited(
  context: Pick<Context, 'db' | 'definitions' | 'limits' | 'longWork'>,
  id: string,
): Promise<ChangesetOnSnapshot> {
  return context.longWork.run(async () => {
    await withTransaction(context.db, (tx) => lockChangeset(tx, id));
    return await withSnapshot(context.db, (snapshot) => readChangeset(snapshot, context, id));
  });
}

/** The members of a changeset as intents, batch after batch. */
async function* membersOf(snapshot: Snapshot, changeset: string): AsyncGenerator<MemberIntent[]> {
  for (let after = 0; ; ) {
    const batch = await listMembers(snapshot, changeset, after, batchSize);
    const last = batch.at(-1);
    if (last === undefined) return;
    yield batch.map(({ collection, key }) => ({ type: 'member', collection, key, changeset }));
    after = last.id;
  }
}

function outdatedMember(
  at: { collection: string; key: string },
  pending: NonNullable<Found['pending']>,
  current: Found['current'],
): Failure {
  return {
    pointer: '/baseVersion',
    code: 'base-outdated',
    message: `was started from version ${pending.baseNumber ?? 'none'}, and the record is at ${current?.number ?? 'none'} now`,
    ...at,
  };
}
