import { versionExpired } from '../domain/horizon.js';
import type { DiffView } from '../domain/record.js';
import { versionNotFound } from '../domain/refusals.js';
import { diffJson } from '../lib/json-diff.js';
import { withSnapshot } from '../store/db.js';
import { findHead } from '../store/head.js';
import { findVersions } from '../store/readers.js';
import type { QueryContext } from './context.js';
import { requireCommittedRecord } from './steps/require-committed-record.js';

/** What differs from one committed version to another; `from` null is "no record yet". */
export async function diffVersions(
  context: QueryContext,
  input: { collection: string; key: string; from: number | null; to: number },
): Promise<{ diff: DiffView; revision: number }> {
  const { collection, key, from, to } = input;
  return await withSnapshot(context.db, async (snapshot) => {
    const { revision } = await findHead(snapshot);
    await requireCommittedRecord(snapshot, input);
    const rows = await findVersions(snapshot, {
      collection,
      key,
      numbers: from === null ? [to] : [from, to],
    });
    const dataOf = (number: number) => {
      const row = rows.find((candidate) => candidate.version === number);
      if (row === undefined) throw versionNotFound(input, number);
      if (row.content === null) throw versionExpired(input, number);
      return JSON.parse(row.content);
    };
    return {
      diff: { from, to, ...diffJson(from === null ? undefined : dataOf(from), dataOf(to)) },
      revision,
    };
  });
}
