import type { Context } from './context.js';
import { type ChangesetReport, reportChangeset } from './steps/report-changeset.js';

/** Judges a changeset as a whole. Being invalid is an answer, not an error. */
export async function validateChangeset(
  context: Context,
  input: { id: string },
): Promise<{ report: ChangesetReport; tag: string; revision: number }> {
  const { report, tag, revision } = await reportChangeset(context, input.id);
  return { report, tag, revision };
}
