import type { Actor } from '../domain/actor.js';
import { DiptychError } from '../domain/errors.js';
import type { CommitRequest, RevertIntent } from '../domain/intent.js';
import type { Committed } from '../domain/outcome.js';
import { commitNotFound, requireAdminToForce, revertConflict } from '../domain/refusals.js';
import { type Snapshot, withSnapshot } from '../store/db.js';
import { findHead } from '../store/head.js';
import { findCommit, listChangesToUndo } from '../store/log.js';
import type { Context } from './context.js';
import { prepareMoves } from './steps/prepare-moves.js';
import { type Idempotency, toIdempotency } from './steps/to-idempotency.js';

const batchSize = 500;

export interface RevertCommitInput {
  /** The commit that is to be undone. */
  revision: number;
  message?: string | undefined;
  /** Runs the same code and writes nothing. */
  dryRun: boolean;
  /** Past today's schema, rules and approvals; needs the permission `admin`. */
  force: boolean;
  actor: Actor;
  idempotency?: Idempotency | undefined;
}

/**
 * Undoes a whole commit as a new one: each pointer goes back to where it was before, what the commit created is
 * deleted again, what it deleted comes back. Refused when any of its records has moved since.
 */
export async function revertCommit(context: Context, input: RevertCommitInput): Promise<Committed> {
  const { revision, force, actor } = input;
  if (force) requireAdminToForce(actor, 'A revert');
  const request = {
    kind: 'revert' as const,
    author: actor.name,
    message: input.message ?? null,
    dryRun: input.dryRun,
    intents: [],
    reverts: revision,
    idempotency: toIdempotency(actor, input.idempotency),
  };
  const prepare = (): Promise<Partial<CommitRequest>> =>
    context.longWork.run(() =>
      withSnapshot(context.db, async (snapshot) => {
        await requireMoves(snapshot, revision);
        const { refusals, ...moves } = await prepareMoves(
          snapshot,
          context,
          changesOf(snapshot, revision, force),
        );
        return { prepared: { ...moves, refusals: joinConflicts(refusals), changeset: null } };
      }),
    );
  return await context.commits.submitPrepared(request, prepare);
}

async function requireMoves(snapshot: Snapshot, revision: number): Promise<void> {
  const commit = await findCommit(snapshot, revision);
  if (commit === null) throw commitNotFound(revision, (await findHead(snapshot)).revision);
  if (commit.changeCount === 0)
    throw new DiptychError(
      'revert-impossible',
      `Commit ${revision} put a definition in force, and moved no records.`,
    );
}

/** The changes of a commit as intents that undo them, batch after batch. */
async function* changesOf(
  snapshot: Snapshot,
  revision: number,
  force: boolean,
): AsyncGenerator<RevertIntent[]> {
  for (let after = 0; ; ) {
    const batch = await listChangesToUndo(snapshot, revision, after, batchSize);
    const last = batch.at(-1);
    if (last === undefined) return;
    yield batch.map(({ collection, key, before, after }) => ({
      type: 'revert',
      revision,
      collection,
      key,
      fromVersion: after,
      toVersion: before,
      force,
    }));
    after = last.ordinal;
  }
}

/** One refusal that lists all records that moved, in place of one for each. */
function joinConflicts(refusals: DiptychError[]): DiptychError[] {
  const conflicts = refusals.filter(({ code }) => code === 'revert-conflict');
  if (conflicts.length < 2) return refusals;
  const joined = revertConflict(conflicts.flatMap(({ options }) => options.errors ?? []));
  return [joined, ...refusals.filter(({ code }) => code !== 'revert-conflict')];
}
