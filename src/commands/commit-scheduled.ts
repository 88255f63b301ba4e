import type { ScheduleRefusal } from '../domain/changeset.js';
import { catalogue, DiptychError } from '../domain/errors.js';
import { listDueChangesets, lockChangeset, unscheduleChangeset } from '../store/changesets.js';
import { withTransaction } from '../store/db.js';
import type { Context } from './context.js';
import { prepareChangeset } from './steps/prepare-changeset.js';

/** Carried out in one go; what is due beyond that comes next. */
const batchSize = 10;

/** What became of a schedule: its revision (null when nothing differed), its refusal, or nothing yet. */
export interface ScheduleOutcome {
  changeset: string;
  revision?: number | null;
  refused?: DiptychError;
  /** Tried again later, because the database was not at hand. */
  postponed?: unknown;
}

type Due = Awaited<ReturnType<typeof listDueChangesets>>[number];

/**
 * Commits the changesets whose moment has come. The state of a changeset decides under its lock, so that
 * several instances that try at once commit it once. One that is refused opens again, with the reason.
 */
export async function commitScheduled(context: Context): Promise<ScheduleOutcome[]> {
  const outcomes: ScheduleOutcome[] = [];
  for (const due of await listDueChangesets(context.db, batchSize)) {
    try {
      outcomes.push({ changeset: due.id, revision: await commitDue(context, due) });
    } catch (error) {
      if (!(error instanceof DiptychError) || catalogue[error.code].kind === 'unavailable')
        outcomes.push({ changeset: due.id, postponed: error });
      else if (await noteRefusal(context, due, error)) outcomes.push({ changeset: due.id, refused: error });
    }
  }
  return outcomes;
}

async function commitDue(context: Context, { id, commitAt, scheduledBy }: Due): Promise<number | null> {
  const request = {
    kind: 'commit' as const,
    author: scheduledBy,
    message: null,
    dryRun: false,
    intents: [],
    reverts: null,
    idempotency: null,
  };
  const { result } = await context.commits.submitPrepared(request, () =>
    prepareChangeset(context, id, { commitAt }),
  );
  return result.unchanged ? null : result.revision;
}

/** Answers whether it was this schedule that was refused, and not one that somebody else has carried out or changed. */
async function noteRefusal(
  context: Context,
  due: Due,
  { code, detail, options }: DiptychError,
): Promise<boolean> {
  return await withTransaction(context.db, async (tx) => {
    const locked = await lockChangeset(tx, due.id);
    if (locked?.state !== 'scheduled' || locked.commitAt?.getTime() !== due.commitAt.getTime()) return false;
    const refusal: ScheduleRefusal = {
      code,
      detail,
      errors: options.errors ?? [],
      commitAt: due.commitAt.toISOString(),
      at: new Date().toISOString(),
    };
    await unscheduleChangeset(tx, due.id, refusal);
    return true;
  });
}
