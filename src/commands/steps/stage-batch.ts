import { DiptychError } from '../../domain/errors.js';
import { collectionNotFound } from '../../domain/refusals.js';
import {
  type Decided,
  decideLine,
  failuresOfRefusal,
  type LineEdit,
  type Sight,
  type Standing,
} from '../../domain/stage-line.js';
import type { LineOutcome } from '../../domain/stage-report.js';
import type { JsonObject } from '../../lib/json-value.js';
import { Turns } from '../../lib/turns.js';
import { findContents } from '../../store/archived.js';
import { countChangesetEdit } from '../../store/changesets.js';
import { lockCollections } from '../../store/collections.js';
import { type Tx, withTransaction } from '../../store/db.js';
import { deleteEmptyRecords } from '../../store/records.js';
import {
  insertMembers,
  insertMissingRecords,
  lockStandings,
  type StandingRow,
  updateMembers,
} from '../../store/staging.js';
import type { Context } from '../context.js';
import { lockOpenChangeset } from './lock-changeset.js';

/** Bytes that one transaction holds in memory, but for its first line: lines, what they patch, and what comes of it. */
const maxHeldBytes = 8 * 1024 * 1024;

export interface BatchLine {
  bytes: number;
  edit: LineEdit;
}

/** What the caller has seen of the changeset: nothing that it told of, whatever there is, or the state of an edit. */
export type Seen =
  | { type: 'unsaid' }
  | { type: 'any' }
  | { type: 'edit'; edit: number }
  | { type: 'outdated' };

/** A record that lines are about, with what they have made of it so far. */
interface Target extends Standing {
  row: StandingRow;
  /** What it shall hold; undefined while nothing has changed. */
  decided?: Decided;
  /** Whether any of the lines named a whole new state. */
  isWhole: boolean;
}

/**
 * Stages the first of these lines in one transaction of their own: as many as fit into bounded memory, and one
 * at least. Each sees those before it; one that is refused leaves the others alone.
 */
export async function stageBatch(
  context: Context,
  input: { changeset: string; author: string; seen: Seen },
  lines: BatchLine[],
): Promise<{ outcomes: LineOutcome[]; seen: Seen }> {
  return await withTransaction(context.db, async (tx) => {
    const { edit: lastEdit } = await lockOpenChangeset(tx, input.changeset);
    const collections = await lockCollections(tx, [...new Set(lines.map(({ edit }) => edit.collection))]);
    const sight = sightOf(input.seen, lastEdit);
    const { targets, inserted } = await lockTargets(tx, input.changeset, collections, lines);
    const targetOf = ({ collection, key }: LineEdit) =>
      targets.get(nameOf(collections.get(collection) ?? 0, key));
    const taken = lines.slice(0, countFitting(lines, targetOf));
    const bases = await readBases(tx, taken, targetOf);
    const outcomes: LineOutcome[] = [];
    const turns = new Turns();
    let heldBytes = 0;
    for (const { edit } of taken) {
      if (heldBytes > maxHeldBytes) break;
      await turns.pause();
      const target = targetOf(edit);
      const outcome = refusedOr(() => {
        if (!collections.has(edit.collection)) throw collectionNotFound(edit.collection);
        const base = target && baseOf(edit, target, bases);
        const { maxRecordBytes } = context.limits;
        const decided = decideLine(edit, target ?? absent, { base, sight, maxRecordBytes });
        if (decided === null) return { type: 'unchanged' };
        if (target === undefined) throw new Error('a record that was just inserted is not there');
        apply(target, decided);
        target.isWhole ||= !isPatch(edit);
        if (edit.operation !== 'put') heldBytes += decided.content?.content.length ?? 0;
        return { type: 'staged' };
      });
      outcomes.push(outcome);
    }
    const hasWritten = write(tx, input, [...targets.values()]);
    if (inserted.length > 0) deleteEmptyRecords(tx, inserted);
    return { outcomes, seen: seenAfter(input.seen, sight, hasWritten ? lastEdit + 1 : lastEdit) };
  });
}

const absent: Standing = { currentDigest: null, pending: null };
const nameOf = (collectionId: number, key: string) => `${collectionId}/${key}`;

function sightOf(seen: Seen, edit: number): Sight {
  if (seen.type === 'edit') return seen.edit === edit ? 'seen' : 'outdated';
  return seen.type === 'any' ? 'seen' : seen.type;
}

/** The caller has seen its own edits. */
function seenAfter(seen: Seen, sight: Sight, edit: number): Seen {
  if (seen.type !== 'edit') return seen;
  return sight === 'seen' ? { type: 'edit', edit } : { type: 'outdated' };
}

function refusedOr(decide: () => LineOutcome): LineOutcome {
  try {
    return decide();
  } catch (error) {
    if (!(error instanceof DiptychError)) throw error;
    return { type: 'failed', failures: failuresOfRefusal(error) };
  }
}

const maxAttempts = 5;

/** Locks the records of all lines; those that a `put` is about are let exist. */
async function lockTargets(
  tx: Tx,
  changeset: string,
  collections: Map<string, number>,
  lines: BatchLine[],
): Promise<{ targets: Map<string, Target>; inserted: number[] }> {
  const wanted = new Map<string, { collectionId: number; key: string; isPut: boolean }>();
  for (const { edit } of lines) {
    const collectionId = collections.get(edit.collection);
    if (collectionId === undefined) continue;
    const name = nameOf(collectionId, edit.key);
    const isPut = edit.operation === 'put' || wanted.get(name)?.isPut === true;
    wanted.set(name, { collectionId, key: edit.key, isPut });
  }
  const addresses = [...wanted.values()];
  const put = addresses.filter(({ isPut }) => isPut);
  const inserted: number[] = [];
  // A record that nobody holds any more may be removed after it was found and before it is locked.
  for (let attempt = 1; ; attempt += 1) {
    inserted.push(...(await insertMissingRecords(tx, put)));
    const rows = await lockStandings(tx, changeset, addresses);
    const targets = new Map(rows.map((row) => [nameOf(row.collectionId, row.key), toTarget(row)]));
    if (
      attempt === maxAttempts ||
      put.every(({ collectionId, key }) => targets.has(nameOf(collectionId, key)))
    )
      return { targets, inserted };
  }
}

function toTarget(row: StandingRow): Target {
  const { currentDigest, pendingOperation: operation, pendingDigest: digest, pendingMessage: message } = row;
  const pending = operation === null ? null : { operation, digest, message };
  return { row, currentDigest, pending, isWhole: false };
}

const isPatch = ({ operation }: LineEdit) => operation === 'merge' || operation === 'patch';

/** How many of the lines fit, with what they patch. */
function countFitting(lines: BatchLine[], targetOf: (edit: LineEdit) => Target | undefined): number {
  let held = 0;
  let count = 0;
  for (const { bytes, edit } of lines) {
    held += bytes + (isPatch(edit) ? (targetOf(edit)?.row.baseBytes ?? 0) : 0);
    if (held > maxHeldBytes && count > 0) break;
    count += 1;
  }
  return count;
}

async function readBases(
  tx: Tx,
  lines: BatchLine[],
  targetOf: (edit: LineEdit) => Target | undefined,
): Promise<Map<number, string>> {
  const ids = lines.flatMap(({ edit }) => {
    const row = isPatch(edit) ? targetOf(edit)?.row : undefined;
    const id = row?.pendingId ?? row?.currentVersionId ?? null;
    return id === null ? [] : [id];
  });
  return ids.length === 0 ? new Map() : await findContents(tx, [...new Set(ids)]);
}

/** The data that a patch starts from: what the lines before have made, what is pending, or what is current. */
function baseOf(
  edit: LineEdit,
  { row, decided }: Target,
  bases: Map<number, string>,
): JsonObject | undefined {
  if (!isPatch(edit)) return undefined;
  const content = decided
    ? decided.content?.content
    : bases.get(row.pendingId ?? row.currentVersionId ?? Number.NaN);
  return content === undefined ? undefined : JSON.parse(content);
}

function apply(target: Target, decided: Decided): void {
  const { content, message } = decided;
  target.decided = decided;
  target.pending = {
    operation: content === null ? 'delete' : 'upsert',
    digest: content?.digest ?? null,
    message,
  };
}

/** Sends what has changed. */
function write(
  tx: Tx,
  { changeset, author }: { changeset: string; author: string },
  targets: Target[],
): boolean {
  const changed = targets.flatMap(({ row, decided, isWhole }) =>
    decided === undefined
      ? []
      : [
          {
            id: row.pendingId,
            recordId: row.recordId,
            baseVersionId: row.currentVersionId,
            content: decided.content?.content ?? null,
            digest: decided.content?.digest ?? null,
            message: decided.message,
            isWhole,
          },
        ],
  );
  const added = changed.filter(({ id }) => id === null);
  const edited = changed.flatMap((row) => (row.id === null ? [] : [{ ...row, id: row.id }]));
  if (added.length > 0) insertMembers(tx, { id: changeset, author }, added);
  if (edited.length > 0) updateMembers(tx, author, edited);
  if (changed.length > 0) countChangesetEdit(tx, changeset);
  return changed.length > 0;
}
