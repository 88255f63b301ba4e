import type { CommitResult } from '../../domain/commit.js';
import type { CommitRequest } from '../../domain/intent.js';
import { claimName, nameOf, recordName, type World } from '../../domain/judge.js';
import { digestChanges, sealEntry } from '../../domain/log-entry.js';
import { type Move, type Ties, toLoggedChange, toSummary } from '../../domain/move.js';
import { closeChangesets } from '../../store/changesets.js';
import { appendCommits, type ChangeRow, type CommitRow, moveRecords } from '../../store/commits.js';
import { replaceReferences, replaceUniqueValues } from '../../store/constraints.js';
import type { Tx } from '../../store/db.js';
import type { CommittedChange } from '../../store/read-cache.js';
import { insertRecords } from '../../store/records.js';
import { deletePending, insertCommitted, markCommitted } from '../../store/versions.js';
import { committedAnswer } from './committed-answer.js';
import { restoreArchived } from './restore-archived.js';

/** A commit that has been judged and will happen. */
export interface AcceptedCommit {
  request: CommitRequest;
  moves: Move[];
  /** Pending versions that are used up without becoming versions. */
  consumedPendingIds: number[];
}

/** Where the log stands; moved on by each commit. */
export interface LogPosition {
  revision: number;
  hash: Buffer;
  /** The time of the commits of this transaction. */
  now: Date;
  /** Ids for the versions that this transaction adds. */
  versionIds: number[];
  /** What readers see changed once the transaction is committed. */
  changes: CommittedChange[];
}

/** At most this many changes are listed in the answer of a commit. */
const listedChanges = 1_000;

/** The answer to a commit of these moves at this revision. */
export function toResult(
  accepted: Pick<AcceptedCommit, 'request' | 'moves'>,
  revision: number,
  now: Date,
): CommitResult {
  const { request, moves } = accepted;
  return {
    revision,
    committedAt: now.toISOString(),
    kind: request.kind,
    changeCount: moves.length,
    changes: moves.slice(0, listedChanges).map(toSummary),
    unchanged: false,
    ...(request.dryRun ? { dryRun: true as const } : {}),
  };
}

/**
 * Writes commits that do not touch one another's records: log, versions, pointers, history, constraints,
 * head, each in one statement for all of them. The only place where a pointer moves.
 */
export async function writeCommits(
  tx: Tx,
  log: LogPosition,
  commits: AcceptedCommit[],
  world: World,
): Promise<CommitResult[]> {
  const logged = commits.map((commit) => ({ commit, row: nextRow(log, commit) }));
  appendCommits(
    tx,
    logged.map(({ row }) => row),
  );
  const written = placeMoves(log, logged, await addRecords(tx, commits));
  writeVersions(tx, log.now, written);
  await restoreArchived(
    tx,
    written.flatMap(({ move: { after } }) => (after?.source === 'existing' ? [after.versionId] : [])),
  );
  moveRecords(tx, written);
  writeConstraints(tx, written, world);
  finishStaged(tx, commits);
  for (const { move, row, revision, collectionId, recordId } of written)
    log.changes.push({ revision, collectionId, recordId, answer: committedAnswer(move, row) });
  return logged.map(({ commit, row }) => toResult(commit, row.revision, log.now));
}

/** A move with its place in the history. */
interface WrittenMove extends ChangeRow {
  move: Move;
  row: CommitRow;
}

/** Removes the pending versions that are used up, and closes the changesets that are committed. */
export function finishStaged(tx: Tx, commits: AcceptedCommit[]): void {
  const consumed = commits.flatMap(({ moves, consumedPendingIds }) => [
    ...consumedPendingIds,
    ...moves.flatMap((move) => move.consumedPendingId ?? []),
  ]);
  if (consumed.length > 0) deletePending(tx, consumed);
  const closed = commits.flatMap(({ request }) => {
    const id = request.prepared?.changeset?.id;
    return id === undefined ? [] : [{ id, state: 'committed' as const, by: request.author }];
  });
  if (closed.length > 0) closeChangesets(tx, closed);
}

/** The definitions that these moves were judged by, by the name of the collection. */
function definitionsOf(moves: Move[]): { collection: string; number: number }[] {
  const numbers = new Map(moves.map(({ collection }) => [collection.name, collection.definitionNumber]));
  return [...numbers]
    .map(([collection, number]) => ({ collection, number }))
    .sort((a, b) => (a.collection < b.collection ? -1 : 1));
}

function nextRow(log: LogPosition, { request, moves }: AcceptedCommit): CommitRow {
  const previousHash = log.hash;
  const row = {
    revision: log.revision + 1,
    kind: request.kind,
    committedAt: log.now,
    author: request.author,
    message: request.message ?? moves.find((move) => move.message !== null)?.message ?? null,
    forced: moves.some((move) => move.forced),
    changeset: request.prepared?.changeset?.id ?? null,
    reverts: request.reverts,
    definition: null,
    definitions: definitionsOf(moves),
    changeCount: moves.length,
    changesDigest: request.prepared?.changesDigest ?? digestChanges(moves.map(toLoggedChange)),
    previousHash,
    content: '',
    hash: previousHash,
  };
  // Filled in rather than copied: this is done for each commit, and a copy of so many members is not cheap.
  const sealed = sealEntry(row, previousHash);
  row.content = sealed.content;
  row.hash = sealed.hash;
  log.revision = row.revision;
  log.hash = row.hash;
  return row;
}

/** Adds the records that are not there yet; answers their ids by `nameOf`. */
async function addRecords(tx: Tx, commits: AcceptedCommit[]): Promise<Map<string, number>> {
  const missing = commits.flatMap(({ moves }) => moves.filter((move) => move.recordId === null));
  if (missing.length === 0) return new Map();
  const names = new Map(missing.map((move) => [move.collection.id, move.collection.name]));
  const added = await insertRecords(
    tx,
    missing.map((move) => ({ collectionId: move.collection.id, key: move.key })),
  );
  return new Map(
    added.map(({ collectionId, key, id }) => [
      recordName({ collection: names.get(collectionId) ?? '', key }),
      id,
    ]),
  );
}

/** Where each move stands in the history, and to which version it leads. */
function placeMoves(
  log: LogPosition,
  logged: { commit: AcceptedCommit; row: CommitRow }[],
  added: Map<string, number>,
): WrittenMove[] {
  const written: WrittenMove[] = [];
  for (const { commit, row } of logged) {
    for (const [position, move] of commit.moves.entries()) {
      const recordId = move.recordId ?? added.get(nameOf(move));
      if (recordId === undefined) throw new Error(`no record row for ${nameOf(move)}`);
      written.push({
        move,
        row,
        revision: row.revision,
        ordinal: position + 1,
        recordId,
        collectionId: move.collection.id,
        beforeVersionId: move.before?.versionId ?? null,
        afterVersionId: versionAfter(log, move),
      });
    }
  }
  return written;
}

function versionAfter({ versionIds }: LogPosition, { after }: Move): number | null {
  if (after === null) return null;
  if (after.source !== 'new') return after.versionId;
  const id = versionIds.pop();
  if (id === undefined) throw new Error('more versions than ids were reserved for');
  return id;
}

/** Commits pending versions and adds new ones. */
function writeVersions(tx: Tx, committedAt: Date, written: WrittenMove[]): void {
  const pending = [];
  const added = [];
  for (const { move, row, revision, recordId, beforeVersionId, afterVersionId: id } of written) {
    const { after } = move;
    const number = move.lastNumber + 1;
    if (after === null || id === null) continue;
    if (after.source === 'pending') pending.push({ id, number, revision });
    if (after.source === 'new') {
      const digest = Buffer.from(after.digest, 'hex');
      const { content } = after;
      const { author } = row;
      added.push({ id, recordId, number, revision, content, digest, baseVersionId: beforeVersionId, author });
    }
  }
  if (pending.length > 0) markCommitted(tx, pending);
  if (added.length > 0) insertCommitted(tx, added, committedAt);
}

/** Unique values and references of the records where they are other than before. */
function writeConstraints(tx: Tx, written: WrittenMove[], world: World): void {
  const tied = written.filter(({ move }) => move.collection.definition.hasTies);
  if (tied.length === 0) return;
  const claiming = tied.filter(({ move }) => differs(move, ({ claims }) => claims.map(claimName)));
  const claims = claiming.flatMap(({ move, recordId }) =>
    (move.after?.claims ?? []).map((claim) => ({ ...claim, recordId })),
  );
  if (claiming.length > 0)
    replaceUniqueValues(
      tx,
      claiming.map(({ recordId }) => recordId),
      claims,
    );

  const referring = tied.filter(({ move }) =>
    differs(move, ({ references }) => references.map((each) => `${each.constraint} ${recordName(each)}`)),
  );
  if (referring.length === 0) return;
  const writtenIds = new Map(written.map(({ move, recordId }) => [nameOf(move), recordId]));
  const references = referring.flatMap(({ move, recordId }) =>
    (move.after?.references ?? []).map((reference) => {
      const name = recordName(reference);
      const id = writtenIds.get(name) ?? world.live.get(name);
      if (id === undefined) throw new Error(`a judged reference leads nowhere: ${name}`);
      return { sourceRecordId: recordId, pointer: reference.constraint, targetRecordId: id };
    }),
  );
  replaceReferences(
    tx,
    referring.map(({ recordId }) => recordId),
    references,
  );
}

function differs({ before, after }: Move, namesOf: (ties: Ties) => string[]): boolean {
  const [old, present] = [before, after].map((state) => (state === null ? [] : namesOf(state)));
  return JSON.stringify(old) !== JSON.stringify(present);
}
