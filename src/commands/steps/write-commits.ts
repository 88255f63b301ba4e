import type { CommitResult } from '../../domain/commit.js';
import type { CommitRequest } from '../../domain/intent.js';
import { claimName, recordName, type World } from '../../domain/judge.js';
import { digestChanges, sealEntry } from '../../domain/log-entry.js';
import { type Move, type Ties, toLoggedChange } from '../../domain/move.js';
import { closeChangesets } from '../../store/changesets.js';
import { appendChanges, appendCommits, type ChangeRow, type CommitRow } from '../../store/commits.js';
import { replaceReferences, replaceUniqueValues } from '../../store/constraints.js';
import type { Tx } from '../../store/db.js';
import type { CommittedChange } from '../../store/read-cache.js';
import { insertRecords, movePointers } from '../../store/records.js';
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
    changes: moves
      .slice(0, listedChanges)
      .map(toLoggedChange)
      .map(({ beforeDigest, afterDigest, ...change }) => change),
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
  const written = logged.flatMap(({ commit, row }) =>
    commit.moves.map((move, position) => ({ move, commit, row, position, revision: row.revision })),
  );
  const recordIds = await ensureRecords(
    tx,
    written.map(({ move }) => move),
  );
  const idOf = (move: Move) => requireId(recordIds, move.collection.name, move.key);
  const versionIds = writeVersions(tx, log, written, idOf);
  const afterId = (move: Move) => (move.after === null ? null : (versionIds.get(idOf(move)) ?? null));
  await restoreArchived(
    tx,
    written.flatMap(({ move: { after } }) => (after?.source === 'existing' ? [after.versionId] : [])),
  );

  appendChanges(
    tx,
    written.map(
      ({ move, position, revision }): ChangeRow => ({
        revision,
        ordinal: position + 1,
        recordId: idOf(move),
        collectionId: move.collection.id,
        beforeVersionId: move.before?.versionId ?? null,
        afterVersionId: afterId(move),
      }),
    ),
  );
  movePointers(
    tx,
    written.map(({ move, revision }) => ({ recordId: idOf(move), revision, versionId: afterId(move) })),
  );
  writeConstraints(
    tx,
    written.map(({ move }) => move),
    idOf,
    (name) => recordIds.get(name) ?? world.live.get(name),
  );
  finishStaged(tx, commits);
  for (const { move, row, revision } of written) {
    const answer = committedAnswer(move, row);
    log.changes.push({ revision, collectionId: move.collection.id, recordId: idOf(move), answer });
  }
  return logged.map(({ commit, row }) => toResult(commit, row.revision, log.now));
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
  const entry = {
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
  };
  const previousHash = log.hash;
  const { content, hash } = sealEntry(entry, previousHash);
  log.revision = entry.revision;
  log.hash = hash;
  return { ...entry, content, previousHash, hash };
}

async function ensureRecords(tx: Tx, moves: Move[]): Promise<Map<string, number>> {
  const ids = new Map<string, number>();
  const missing: Move[] = [];
  for (const move of moves) {
    if (move.recordId === null) missing.push(move);
    else ids.set(recordName({ collection: move.collection.name, key: move.key }), move.recordId);
  }
  if (missing.length > 0) {
    const names = new Map(missing.map((move) => [move.collection.id, move.collection.name]));
    const added = await insertRecords(
      tx,
      missing.map((move) => ({ collectionId: move.collection.id, key: move.key })),
    );
    for (const row of added)
      ids.set(recordName({ collection: names.get(row.collectionId) ?? '', key: row.key }), row.id);
  }
  return ids;
}

function requireId(ids: Map<string, number>, collection: string, key: string): number {
  const id = ids.get(recordName({ collection, key }));
  if (id === undefined) throw new Error(`no record row for ${collection} ${key}`);
  return id;
}

/** Commits pending versions and adds new ones; answers the version that each record moves to. */
function writeVersions(
  tx: Tx,
  { now, versionIds }: LogPosition,
  written: { move: Move; commit: AcceptedCommit; revision: number }[],
  idOf: (move: Move) => number,
): Map<number, number> {
  const ids = new Map<number, number>();
  const pending = [];
  const added = [];
  for (const { move, commit, revision } of written) {
    const recordId = idOf(move);
    const number = move.lastNumber + 1;
    if (move.after?.source === 'existing') ids.set(recordId, move.after.versionId);
    if (move.after?.source === 'pending') {
      ids.set(recordId, move.after.versionId);
      pending.push({ id: move.after.versionId, number, revision });
    }
    if (move.after?.source === 'new') {
      const digest = Buffer.from(move.after.digest, 'hex');
      const baseVersionId = move.before?.versionId ?? null;
      const id = versionIds.pop();
      if (id === undefined) throw new Error('more versions than ids were reserved for');
      ids.set(recordId, id);
      added.push({
        id,
        recordId,
        number,
        revision,
        content: move.after.content,
        digest,
        baseVersionId,
        author: commit.request.author,
        committedAt: now,
      });
    }
  }
  if (pending.length > 0) markCommitted(tx, pending);
  if (added.length > 0) insertCommitted(tx, added);
  return ids;
}

/** Unique values and references of the records where they are other than before. */
function writeConstraints(
  tx: Tx,
  moves: Move[],
  idOf: (move: Move) => number,
  targetId: (name: string) => number | undefined,
): void {
  const claiming = moves.filter((move) => differs(move, ({ claims }) => claims.map(claimName)));
  const claims = claiming.flatMap((move) =>
    (move.after?.claims ?? []).map((claim) => ({ ...claim, recordId: idOf(move) })),
  );
  if (claiming.length > 0) replaceUniqueValues(tx, claiming.map(idOf), claims);

  const referring = moves.filter((move) =>
    differs(move, ({ references }) => references.map((each) => `${each.constraint} ${recordName(each)}`)),
  );
  const references = referring.flatMap((move) =>
    (move.after?.references ?? []).map((reference) => {
      const id = targetId(recordName(reference));
      if (id === undefined) throw new Error(`a judged reference leads nowhere: ${recordName(reference)}`);
      return { sourceRecordId: idOf(move), pointer: reference.constraint, targetRecordId: id };
    }),
  );
  if (referring.length > 0) replaceReferences(tx, referring.map(idOf), references);
}

function differs({ before, after }: Move, namesOf: (ties: Ties) => string[]): boolean {
  const [old, present] = [before, after].map((state) => (state === null ? [] : namesOf(state)));
  return JSON.stringify(old) !== JSON.stringify(present);
}
