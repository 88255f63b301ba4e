import { contentTag } from '../domain/entity-tag.js';
import { versionExpired } from '../domain/horizon.js';
import type { VersionView } from '../domain/record.js';
import { versionNotFound } from '../domain/refusals.js';
import { sha256 } from '../lib/digest.js';
import { findVersions } from '../store/readers.js';
import type { QueryContext } from './context.js';
import { requireCommittedRecord } from './steps/require-committed-record.js';
import { toVersionSummary } from './steps/to-version.js';

/** One committed version with its content. */
export async function getVersion(
  context: QueryContext,
  input: { collection: string; key: string; version: number },
): Promise<{ version: VersionView; tag: string; revision: number }> {
  const { collection, key } = input;
  const found = await findVersions(context.db, { collection, key, numbers: [input.version] });
  requireCommittedRecord(input, found);
  const [row] = found.rows;
  if (row === undefined) throw versionNotFound(input, input.version).asOf(found.head);
  if (row.content === null) throw versionExpired(input, input.version).asOf(found.head);
  const summary = toVersionSummary(row);
  const tag = contentTag(sha256(JSON.stringify([collection, key, summary])).toString('hex'));
  return {
    version: { collection, key, ...summary, data: JSON.parse(row.content) },
    tag,
    revision: found.head,
  };
}
