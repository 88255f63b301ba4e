import { combineRefusals } from '../../domain/combine-refusals.js';
import type { DefinitionCache } from '../../domain/definition-cache.js';
import { DiptychError } from '../../domain/errors.js';
import type { CommitRequest } from '../../domain/intent.js';
import { footprintOf, judgeMoves, nameOf, recordName, type World } from '../../domain/judge.js';
import type { Outcome, Postponed } from '../../domain/outcome.js';
import { receiptStale } from '../../domain/refusals.js';
import { lockFreeChangesets } from '../../store/changesets.js';
import type { Tx } from '../../store/db.js';
import { lockHead } from '../../store/head.js';
import type { CommittedNews } from '../../store/read-cache.js';
import { keepAnswers, lockKeys, recallAnswers } from './answers.js';
import { confirmPrepared, receiptOf } from './confirm-prepared.js';
import { type Draft, draftIntents, maxWork, type Spent } from './draft.js';
import { type Lookup, lockFound } from './load-found.js';
import { loadWorld } from './load-world.js';
import { missingApprovals } from './missing-approvals.js';
import {
  type AcceptedCommit,
  finishStaged,
  type LogPosition,
  toResult,
  writeCommits,
} from './write-commits.js';

export interface PublishContext {
  definitions: DefinitionCache;
  limits: { maxRecordBytes: number };
}

/** What has become of a list of commits, in its order, and what they change for readers, once their transaction is committed. */
export interface Published {
  outcomes: (Outcome | Postponed)[];
  news: CommittedNews;
}

/**
 * Takes a list of commits through one transaction: under the head's lock, each is planned and judged by
 * itself, and those that hold are written together. Every commit has its own outcome; a refused one leaves
 * no trace but the answer to its Idempotency-Key. Once they have been as much work as a single one may be, those
 * that nothing was decided about are postponed: how long others wait for the lock does not depend on how many
 * costly commits come together. The first always has an outcome.
 */
export async function publish(
  tx: Tx,
  context: PublishContext,
  requests: CommitRequest[],
): Promise<Published> {
  const round = takeRound(requests);
  // All of this is sent at once, and runs in this order: the locks are taken in the order that everybody keeps to.
  const [inFlight, head, answered, busy, lookups] = await Promise.all([
    lockKeys(tx, requests),
    lockHead(tx, countChanges(requests)),
    recallAnswers(tx, requests),
    passOverBusy(tx, requests),
    lockFound(tx, context.definitions, intentsOf(round)),
  ]);
  const outcomes = new Map<CommitRequest, Outcome>([...busy, ...answered, ...inFlight]);
  const log: LogPosition = { ...head, changes: [] };
  const spent: Spent = { work: 0 };
  const publishing = { ...context, spent, log, outcomes };
  const fresh = requests.filter((request) => !outcomes.has(request));
  let waiting = await publishRound(tx, publishing, fresh, { requests: round, lookups });
  while (waiting.length > 0 && spent.work < maxWork) {
    const next = takeRound(waiting);
    const found = await lockFound(tx, context.definitions, intentsOf(next));
    waiting = await publishRound(tx, publishing, waiting, { requests: next, lookups: found });
  }
  keepAnswers(tx, fresh, outcomes);
  return {
    outcomes: requests.map((request) => outcomes.get(request) ?? { postponed: true }),
    news: { since: head.revision, head: log.revision, changes: log.changes },
  };
}

/** What the rounds of one transaction share. */
interface Publishing extends PublishContext {
  spent: Spent;
  log: LogPosition;
  outcomes: Map<CommitRequest, Outcome>;
}

/** Commits that name none of each other's records, and what was found for their intents, one after the other. */
interface Round {
  requests: CommitRequest[];
  lookups: Lookup[];
}

const intentsOf = (requests: CommitRequest[]) => requests.flatMap(({ intents }) => intents);

/** Each change may become one new version. */
const countChanges = (requests: CommitRequest[]) =>
  intentsOf(requests).filter(({ type }) => type === 'change').length;

const takeRound = (requests: CommitRequest[]) =>
  takeApart(requests, (request) => ({
    writes: [
      ...request.intents.map(recordName),
      ...(request.prepared?.moves.map(nameOf) ?? []),
      ...(request.prepared?.unchanged.map(recordName) ?? []),
    ],
    reads: [],
  })).taken;

/**
 * Locks the changesets before any record, because whoever stages into one holds it while waiting for a record.
 * Those that are being edited at this moment are for later.
 */
async function passOverBusy(tx: Tx, requests: CommitRequest[]): Promise<Map<CommitRequest, Outcome>> {
  const waiting = requests.flatMap((request) => {
    const id = request.prepared?.changeset?.id;
    return id === undefined ? [] : [{ request, id }];
  });
  const ids = waiting.map(({ id }) => id);
  const free = await lockFreeChangesets(tx, ids);
  return new Map(waiting.flatMap(({ request, id }) => (free.has(id) ? [] : [[request, { stale: true }]])));
}

/**
 * Publishes those commits that do not depend on one another, in their order; answers the others, which have
 * to see what these wrote.
 */
async function publishRound(
  tx: Tx,
  context: Publishing,
  waiting: CommitRequest[],
  round: Round,
): Promise<CommitRequest[]> {
  const { log, outcomes } = context;
  const drafts = takeApart(await draftAll(tx, context, round), (draft) => {
    const footprints = draft.moves.map(footprintOf);
    return {
      writes: footprints.flatMap(({ writes }) => writes),
      reads: footprints.flatMap(({ reads }) => reads),
    };
  });
  const world = await loadWorld(
    tx,
    drafts.taken.map((draft) => draft.moves),
  );
  const accepted: AcceptedCommit[] = [];
  for (const draft of drafts.taken) {
    const refused = judgeDraft(draft, world, await missingApprovals(tx, draft));
    if (refused) outcomes.set(draft.request, { refused });
    else if (draft.moves.length === 0) outcomes.set(draft.request, finishUnchanged(tx, log, draft));
    else if (draft.request.dryRun)
      outcomes.set(draft.request, { result: toResult(draft, log.revision + 1, log.now), replayed: false });
    else accepted.push(draft);
  }
  if (accepted.length > 0) {
    const results = await writeCommits(tx, log, accepted, world);
    for (const [index, result] of results.entries()) {
      const commit = accepted[index];
      if (commit) outcomes.set(commit.request, { result, replayed: false, moves: commit.moves });
    }
  }
  return waiting.filter((request) => !outcomes.has(request));
}

/** Drafts of those requests that nothing has decided yet, as long as they are not too much work together. */
async function draftAll(tx: Tx, context: Publishing, { requests, lookups }: Round): Promise<Draft[]> {
  const { outcomes } = context;
  const drafts: Draft[] = [];
  let position = 0;
  for (const request of requests) {
    if (context.spent.work >= maxWork) break;
    const found = lookups.slice(position, position + request.intents.length);
    position += request.intents.length;
    if (outcomes.has(request)) continue;
    if (request.prepared === null) {
      drafts.push(await draftIntents(tx, request, found, context));
      continue;
    }
    const confirmed = await confirmPrepared(tx, request, request.prepared);
    if (confirmed === 'stale') outcomes.set(request, { stale: true });
    else if ('refused' in confirmed) outcomes.set(request, confirmed);
    else drafts.push(confirmed);
  }
  return drafts;
}

/** Splits off the items that overlap none before them, as writers or as a writer and a reader. */
function takeApart<Item>(
  items: Item[],
  footprint: (item: Item) => { writes: string[]; reads: string[] },
): { taken: Item[] } {
  // Nothing to overlap with, and a large commit has a large footprint.
  if (items.length < 2) return { taken: items };
  const written = new Set<string>();
  const read = new Set<string>();
  const taken: Item[] = [];
  for (const item of items) {
    const { writes, reads } = footprint(item);
    const overlaps =
      writes.some((name) => written.has(name) || read.has(name)) || reads.some((name) => written.has(name));
    for (const name of writes) written.add(name);
    for (const name of reads) read.add(name);
    if (!overlaps) taken.push(item);
  }
  return { taken };
}

/** Why the commit is refused, with every failure; undefined when it holds. */
function judgeDraft(draft: Draft, world: World, unapproved: DiptychError | null): DiptychError | undefined {
  const { errors, errorCount, broken } = judgeMoves(draft.moves, world);
  if (unapproved) draft.refusals.push(unapproved);
  if (errorCount > 0) {
    const { changeset = null } = draft.request.prepared ?? {};
    const validated =
      draft.moves.some((move) => move.validated) ||
      (changeset !== null && receiptOf(changeset) !== undefined);
    const refusal =
      validated && broken.size > 0
        ? receiptStale(
            [...broken],
            'What the rules looked at has changed since that validation.',
            draft.pendingTag ?? '',
          )
        : new DiptychError(
            'validation-failed',
            `${errorCount} ${errorCount === 1 ? 'failure stands' : 'failures stand'} against this commit.`,
          );
    refusal.options.errors = errors;
    draft.refusals.push(refusal);
  }
  return combineRefusals(draft.refusals);
}

/** Nothing differs from what is current: the pending version has served, and the log stays as it is. */
function finishUnchanged(tx: Tx, log: LogPosition, draft: Draft): Outcome {
  if (!draft.request.dryRun) finishStaged(tx, [draft]);
  const result = { ...toResult(draft, log.revision, log.now), unchanged: true };
  return { result, replayed: false };
}
