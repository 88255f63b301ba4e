import type { Actor } from '../domain/actor.js';
import { DiptychError } from '../domain/errors.js';
import {
  countRows,
  type IngestReport,
  lastOfEach,
  refuseCommit,
  refuseRows,
  type WantedRow,
} from '../domain/ingest-report.js';
import { type IngestRow, type RowFields, type RowsBody, readRow, sentRows } from '../domain/ingest-row.js';
import type { ChangeIntent } from '../domain/intent.js';
import type { Committed } from '../domain/outcome.js';
import { Turns } from '../lib/turns.js';
import { findMovedKeys } from '../store/ingest.js';
import type { Context } from './context.js';
import { type Idempotency, toIdempotency } from './steps/to-idempotency.js';

/** Rows of one call at most: they are one transaction, and may be one commit. */
export const maxRows = 10_000;

export interface IngestRowsInput {
  collection: string;
  body: RowsBody;
  fields: RowFields;
  changeset: string | null;
  /** Whether the rows go live at once, as one commit; not with a changeset. */
  commit: boolean;
  actor: Actor;
  idempotency?: Idempotency | undefined;
}

/** A report, and whether it is the kept answer to an earlier request with the same Idempotency-Key. */
export interface IngestAnswer {
  report: IngestReport;
  revision: number;
  replayed: boolean;
}

/**
 * Takes flat rows, as programs that move tables send them: stages each as the pending version of its record, over
 * whatever is there, or commits all. All rows of the call are taken, or none is.
 */
export async function ingestRows(context: Context, input: IngestRowsInput): Promise<IngestAnswer> {
  const { collection, changeset, commit, actor } = input;
  const { read, refused } = await readRows(context, input);
  // What cannot be found is told first: it is so before any row is looked at.
  const isRefused = refused.length > 0;
  const wanted = isRefused ? [] : lastOfEach(read);
  if (!commit || wanted.length === 0) {
    const staged = { collection, changeset, rows: wanted, author: actor.name };
    const { changed, revision } = await context.ingests.submit(staged);
    if (isRefused) throw refuseRows(refused, read.length + refused.length);
    if (!commit) return { report: countRows(read, (key) => changed.has(key)), revision, replayed: false };
  }
  // Also where no row is left to commit: the answer to an Idempotency-Key is kept with the commit.
  const committed = await commitRows(context, input, wanted);
  const moved = await movedKeys(context, input, wanted, committed);
  const { result, replayed } = committed;
  const { revision } = result;
  return { report: { ...countRows(read, (key) => moved.has(key)), revision }, revision, replayed };
}

async function readRows({ limits }: Context, { body, fields }: IngestRowsInput) {
  if (Array.isArray(body) && body.length > maxRows) {
    const detail = `The call has ${body.length} rows; at most ${maxRows} are allowed.`;
    throw new DiptychError('too-many-rows', detail);
  }
  const read: IngestRow[] = [];
  const refused: DiptychError[][] = [];
  const turns = new Turns();
  for (const sent of sentRows(body)) {
    await turns.pause();
    const outcome = readRow(sent, fields, limits);
    if ('read' in outcome) read.push(outcome.read);
    else refused.push(outcome.refused);
  }
  return { read, refused };
}

async function commitRows(
  context: Context,
  { collection, actor, idempotency }: IngestRowsInput,
  rows: WantedRow[],
): Promise<Committed> {
  try {
    return await context.commits.submit({
      kind: 'commit',
      author: actor.name,
      message: null,
      dryRun: false,
      reverts: null,
      idempotency: toIdempotency(actor, idempotency),
      intents: rows.map((row) => toIntent(collection, row)),
    });
  } catch (error) {
    throw error instanceof DiptychError ? refuseCommit(error, collection, rows) : error;
  }
}

function toIntent(collection: string, row: WantedRow): ChangeIntent {
  const { key, pointer } = row;
  const at = { type: 'change' as const, collection, key, pointer, dataPointer: pointer };
  if (row.action === 'delete') return { ...at, operation: 'delete', mayBeAbsent: true };
  return { ...at, operation: 'put', data: row.content.data, content: row.content };
}

/**
 * The keys of those rows that the commit moved. Nothing that may fail is done for a commit that has just happened:
 * its caller would be told that nothing was kept. A kept answer lists the first thousand; the log has them all.
 */
async function movedKeys(
  { db }: Context,
  { collection }: IngestRowsInput,
  wanted: WantedRow[],
  { result: { changes, changeCount, revision }, moves }: Committed,
): Promise<Set<string>> {
  const listed = moves ?? (changeCount === wanted.length ? wanted : changes);
  if (listed.length === changeCount) return new Set(listed.map(({ key }) => key));
  return await findMovedKeys(db, { revision, collection });
}
