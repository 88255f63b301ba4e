import { combineRefusals } from './combine-refusals.js';
import { DiptychError } from './errors.js';
import type { Failure } from './failure.js';
import type { IngestRow } from './ingest-row.js';

/** What became of the rows of a call that was taken. */
export interface IngestReport {
  /** Rows whose record the call has changed: what is pending of it, or what is live. */
  staged: number;
  /** Rows that were so already. */
  unchanged: number;
  /** Rows before an update. */
  skipped: number;
  /** None: a call with such rows is refused. */
  failed: 0;
  errors: [];
  /** Of a call that commits: the revision at which its rows are live. */
  revision?: number;
}

/** A row that is not skipped. */
export type WantedRow = Exclude<IngestRow, { action: 'skip' }>;

/** The last row of each record: what the rows before it asked for is over. */
export function lastOfEach(rows: IngestRow[]): WantedRow[] {
  const wanted = new Map<string, WantedRow>();
  for (const row of rows) if (row.action !== 'skip') wanted.set(row.key, row);
  return [...wanted.values()];
}

/** Counts rows; those of one record have one outcome, so that a repeat finds all of them unchanged. */
export function countRows(
  rows: IngestRow[],
  isChanged: (key: string) => boolean,
): Omit<IngestReport, 'revision'> {
  let [staged, skipped] = [0, 0];
  for (const { action, key } of rows) {
    if (action === 'skip') skipped += 1;
    else if (isChanged(key)) staged += 1;
  }
  return { staged, unchanged: rows.length - staged - skipped, skipped, failed: 0, errors: [] };
}

/** Failures that a refusal lists at most. */
const listedFailures = 1_000;

/** The one refusal of a call some of whose rows cannot be taken, with all failures in the order of the rows. */
export function refuseRows(refused: DiptychError[][], total: number): DiptychError {
  const all = refused.flat();
  const code = combineRefusals(all)?.code ?? 'rows-refused';
  const errors = all.flatMap(({ options }) => options.errors ?? []).slice(0, listedFailures);
  const detail = `${refused.length} of ${total} ${total === 1 ? 'row' : 'rows'} cannot be taken; nothing of the call was kept.`;
  return withCounts(new DiptychError(code, detail, { errors }), refused.length);
}

/** The refusal of a commit of rows: names the row of each failure, and counts those that are listed. */
export function refuseCommit(refusal: DiptychError, collection: string, rows: WantedRow[]): DiptychError {
  const rowOf = new Map(rows.map(({ key, row }) => [key, row]));
  const errors = (refusal.options.errors ?? []).map((failure): Failure => {
    const row = failure.collection === collection ? rowOf.get(failure.key ?? '') : undefined;
    return row === undefined ? failure : { ...failure, row };
  });
  const failed = new Set(errors.flatMap(({ row }) => row ?? [])).size;
  const { code, detail, options, replayed } = refusal;
  return Object.assign(withCounts(new DiptychError(code, detail, { ...options, errors }), failed), {
    replayed,
  });
}

/**
 * Names the rows in what keeps a body from being parsed: those that hold what cannot be stored. No row has been read
 * then, so that nothing else is known of any of them.
 */
export function refuseBody(refusal: DiptychError, text: string): DiptychError {
  // What is no JSON has no rows.
  if (refusal.code === 'malformed-json') return refusal;
  const isArray = text.trimStart().startsWith('[');
  const errors = (refusal.options.errors ?? []).map((failure) => ({
    ...failure,
    row: isArray ? Number(failure.pointer.split('/')[1]) : 0,
  }));
  const { code, detail, options } = refusal;
  return withCounts(
    new DiptychError(code, detail, { ...options, errors }),
    new Set(errors.map(({ row }) => row)).size,
  );
}

function withCounts({ code, detail, options }: DiptychError, failed: number): DiptychError {
  const extensions = { ...options.extensions, staged: 0, unchanged: 0, skipped: 0, failed };
  return new DiptychError(code, detail, { ...options, extensions });
}
