import type { Failure } from './failure.js';

/** What became of a line. */
export type LineOutcome =
  | { type: 'staged' }
  | { type: 'unchanged' }
  | { type: 'failed'; failures: Failure[] };

/** What is wrong with a line, and its number. */
export interface LineFailure {
  line: number;
  pointer: string;
  code: string;
  message: string;
  collection?: string | undefined;
  key?: string | undefined;
}

/** What became of all lines of a stream, counted. */
export interface StageReport {
  staged: number;
  unchanged: number;
  failed: number;
  /** Of the first lines that failed. */
  errors: LineFailure[];
}

const maxErrors = 1000;

/** Counts one more line. */
export function addOutcome(
  report: StageReport,
  line: { number: number; collection?: string | undefined; key?: string | undefined },
  outcome: LineOutcome,
): void {
  report[outcome.type] += 1;
  if (outcome.type !== 'failed') return;
  const { number, collection, key } = line;
  const free = maxErrors - report.errors.length;
  for (const { pointer, code, message } of outcome.failures.slice(0, free)) {
    report.errors.push({
      line: number,
      pointer,
      code,
      message,
      ...(collection === undefined ? {} : { collection }),
      ...(key === undefined ? {} : { key }),
    });
  }
}
