import type { ScheduleRefusal } from '../domain/changeset.js';
import { catalogue, DiptychError, type ErrorCode } from '../domain/errors.js';
import {
  type DueChangeset,
  listDueChangesets,
  lockChangeset,
  postponeChangeset,
  unscheduleChangeset,
} from '../store/changesets.js';
import { withTransaction } from '../store/db.js';
import type { Context } from './context.js';
import { prepareChangeset } from './steps/prepare-changeset.js';

/** Carried out in one go; what is due beyond that comes next. */
const batchSize = 10;

/** Between two attempts at one schedule: twice as long each time, up to five minutes. */
const retryMs = { first: 2_000, most: 300_000 };

/** What became of a schedule: its revision (null when nothing differed), its refusal, or nothing yet. */
export interface ScheduleOutcome {
  changeset: string;
  revision?: number | null;
  refused?: DiptychError;
  /** Tried again later, because the database or the changeset was not at hand. */
  postponed?: unknown;
}

/**
 * Commits the changesets whose moment has come. The state of a changeset decides under its lock, so that
 * several instances that try at once commit it once. One that is refused opens again, with the reason; one that
 * could not be decided stays scheduled, with the reason, and lets the others pass meanwhile.
 */
export async function commitScheduled(context: Context): Promise<ScheduleOutcome[]> {
  const outcomes: ScheduleOutcome[] = [];
  for (const due of await listDueChangesets(context.db, batchSize)) {
    try {
      outcomes.push({ changeset: due.id, revision: await commitDue(context, due) });
    } catch (error) {
      outcomes.push(...(await settle(context, due, error)));
    }
  }
  return outcomes;
}

const isPassing = (code: ErrorCode) => catalogue[code].kind === 'unavailable' || code === 'changeset-busy';

async function commitDue(
  context: Context,
  { id, commitAt, scheduledBy }: DueChangeset,
): Promise<number | null> {
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

/** What is noted about an attempt; `again` says that it is to be tried again. */
function toRefusal(due: DueChangeset, error: unknown, again: boolean): ScheduleRefusal {
  const now = Date.now();
  const attempts = (due.refusal?.attempts ?? 0) + 1;
  const waitMs = Math.min(retryMs.first * 2 ** (attempts - 1), retryMs.most);
  const { code, detail, errors } =
    error instanceof DiptychError
      ? { code: error.code, detail: error.detail, errors: error.options.errors ?? [] }
      : { code: 'internal-error' as const, detail: catalogue['internal-error'].title, errors: [] };
  return {
    code,
    detail,
    errors,
    commitAt: due.commitAt.toISOString(),
    at: new Date(now).toISOString(),
    attempts,
    retryAt: again ? new Date(now + waitMs).toISOString() : null,
  };
}

/** Makes visible why a schedule was not carried out. Where that fails too it is tried again at once, and told. */
async function settle(context: Context, due: DueChangeset, error: unknown): Promise<ScheduleOutcome[]> {
  const changeset = due.id;
  try {
    if (error instanceof DiptychError && !isPassing(error.code))
      return (await noteRefusal(context, due, error)) ? [{ changeset, refused: error }] : [];
    await withTransaction(context.db, (tx) => postponeChangeset(tx, due, toRefusal(due, error, true)));
    return [{ changeset, postponed: error }];
  } catch (noteError) {
    return [
      { changeset, postponed: new AggregateError([error, noteError], 'the reason could not be noted') },
    ];
  }
}

/** Answers whether it was this schedule that was refused, and not one that somebody else has carried out or changed. */
async function noteRefusal(context: Context, due: DueChangeset, error: DiptychError): Promise<boolean> {
  return await withTransaction(context.db, async (tx) => {
    const locked = await lockChangeset(tx, due.id);
    if (locked?.state !== 'scheduled' || locked.commitAt?.getTime() !== due.commitAt.getTime()) return false;
    await unscheduleChangeset(tx, due.id, toRefusal(due, error, false));
    return true;
  });
}
