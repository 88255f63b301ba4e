import type { Actor } from '../domain/actor.js';
import { toChangesetView } from '../domain/changeset.js';
import { changesetTag, matchesStagedTag } from '../domain/entity-tag.js';
import { DiptychError } from '../domain/errors.js';
import type { Failure } from '../domain/failure.js';
import type { TagCondition } from '../domain/precondition.js';
import { changesetClosed, changesetNotFound, preconditionFailed } from '../domain/refusals.js';
import { failuresOfRefusal, type LineEdit, prepareLine, type StagedLine } from '../domain/stage-line.js';
import { addOutcome, type LineOutcome, type StageReport } from '../domain/stage-report.js';
import { findChangeset, findChangesetEdit } from '../store/changesets.js';
import { withSnapshot } from '../store/db.js';
import { findHead } from '../store/head.js';
import type { Context } from './context.js';
import { type Seen, stageBatch } from './steps/stage-batch.js';

/** A line as it was read: what it says, or why that cannot be told. */
export type ReadLine = { number: number; bytes: number } & (
  | { staged: StagedLine }
  | { failures: Failure[]; collection?: string | undefined; key?: string | undefined }
);

export interface StageLinesInput {
  changeset: string;
  /** Read only as fast as they are staged. */
  lines: AsyncIterable<ReadLine>;
  /** The changeset that the caller saw: what is pending there may be replaced. */
  ifMatch?: TagCondition | undefined;
  actor: Actor;
}

type QueuedLine = {
  number: number;
  bytes: number;
  collection?: string | undefined;
  key?: string | undefined;
} & ({ edit: LineEdit } | { failures: Failure[] });

/** So many lines, or bytes of them, are collected before they are staged. */
export interface BatchBounds {
  lines: number;
  bytes: number;
}

const usualBatch: BatchBounds = { lines: 500, bytes: 4 * 1024 * 1024 };

/**
 * Stages any number of lines into a changeset, in constant memory and in many transactions: what is staged when
 * the stream breaks off stays, and a repeat finds it unchanged. A line that fails stops none of the others.
 *
 * @throws DiptychError with the counts so far when the changeset is closed meanwhile
 */
export async function stageLines(
  context: Context,
  input: StageLinesInput,
  batch = usualBatch,
): Promise<{ report: StageReport; tag: string; revision: number }> {
  const { changeset, actor } = input;
  const report: StageReport = { staged: 0, unchanged: 0, failed: 0, errors: [] };
  try {
    let seen = await requireOpen(context, input);
    let queue: QueuedLine[] = [];
    const stageSome = async () => {
      const lines = queue.flatMap((line) => ('edit' in line ? [line] : []));
      const staged =
        lines.length === 0
          ? { outcomes: [], seen }
          : await stageBatch(context, { changeset, author: actor.name, seen }, lines);
      seen = staged.seen;
      queue = queue.slice(addOutcomes(report, queue, staged.outcomes));
    };
    const isFull = () =>
      queue.length >= batch.lines || queue.reduce((sum, { bytes }) => sum + bytes, 0) >= batch.bytes;
    for await (const line of input.lines) {
      queue.push(prepare(line, context.limits));
      while (isFull()) await stageSome();
    }
    while (queue.length > 0) await stageSome();
    return { report, ...(await readTag(context, changeset)) };
  } catch (error) {
    throw error instanceof DiptychError ? withCounts(error, report) : error;
  }
}

/** What the caller has seen of the changeset, which has to be open. */
async function requireOpen(context: Context, { changeset, ifMatch }: StageLinesInput): Promise<Seen> {
  const found = await findChangesetEdit(context.db, changeset);
  if (found === null) throw changesetNotFound(changeset);
  if (found.state !== 'open') throw changesetClosed(changeset, found.state);
  if (ifMatch === undefined) return { type: 'unsaid' };
  if (ifMatch.any) return { type: 'any' };
  const tag = changesetTag({ id: changeset, edit: found.edit, derived: '' });
  if (!matchesStagedTag(ifMatch, tag)) throw preconditionFailed('changeset', tag);
  return { type: 'edit', edit: found.edit };
}

function prepare(line: ReadLine, limits: { maxRecordBytes: number }): QueuedLine {
  if ('failures' in line) return line;
  const { number, bytes, staged } = line;
  const { collection, key } = staged;
  try {
    return { number, bytes, collection, key, edit: prepareLine(staged, limits) };
  } catch (error) {
    if (!(error instanceof DiptychError)) throw error;
    return { number, bytes, collection, key, failures: failuresOfRefusal(error) };
  }
}

/** Counts the lines that are done, in their order: those with an outcome and those that cannot be read. */
function addOutcomes(report: StageReport, queue: QueuedLine[], outcomes: LineOutcome[]): number {
  let taken = 0;
  let count = 0;
  for (const line of queue) {
    const outcome = 'failures' in line ? ({ type: 'failed', ...line } as const) : outcomes[taken];
    if (outcome === undefined) break;
    if ('edit' in line) taken += 1;
    addOutcome(report, line, outcome);
    count += 1;
  }
  return count;
}

async function readTag(context: Context, id: string): Promise<{ tag: string; revision: number }> {
  return await withSnapshot(context.db, async (snapshot) => {
    const { revision } = await findHead(snapshot);
    const stored = await findChangeset(snapshot, id);
    if (stored === null) throw changesetNotFound(id);
    return { tag: toChangesetView(stored).tag, revision };
  });
}

/** What was staged before stays staged, so the refusal says how much that is. */
function withCounts({ code, detail, options }: DiptychError, report: StageReport): DiptychError {
  const { staged, unchanged, failed } = report;
  return new DiptychError(code, detail, {
    ...options,
    extensions: { ...options.extensions, staged, unchanged, failed },
  });
}
