import { versionExpired } from '../domain/horizon.js';
import type { DiffView } from '../domain/record.js';
import { versionNotFound } from '../domain/refusals.js';
import { diffJson } from '../lib/json-diff.js';
import { findVersions } from '../store/readers.js';
import type { QueryContext } from './context.js';
import { requireCommittedRecord } from './steps/require-committed-record.js';

/** What differs from one committed version to another; `from` null is "no record yet". */
export async function diffVersions(
  context: QueryContext,
  input: { collection: string; key: string; from: number | null; to: number },
): Promise<{ diff: DiffView; revision: number }> {
  const { collection, key, from, to } = input;
  const numbers = from === null ? [to] : [from, to];
  const found = await findVersions(context.db, { collection, key, numbers });
  requireCommittedRecord(input, found);
  const dataOf = (number: number) => {
    const row = found.rows.find((candidate) => candidate.version === number);
    if (row === undefined) throw versionNotFound(input, number).asOf(found.head);
    if (row.content === null) throw versionExpired(input, number).asOf(found.head);
    return JSON.parse(row.content);
  };
  const diff = diffJson(from === null ? undefined : dataOf(from), dataOf(to));
  return { diff: { from, to, ...diff }, revision: found.head };
}
