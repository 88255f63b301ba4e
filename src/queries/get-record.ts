import { recordTag } from '../domain/entity-tag.js';
import { revisionCompacted } from '../domain/horizon.js';
import type { PointInTime } from '../domain/point-in-time.js';
import type { RecordView } from '../domain/record.js';
import { collectionNotFound, recordNotFound } from '../domain/refusals.js';
import { findRecordState } from '../store/readers.js';
import type { QueryContext } from './context.js';
import { resolvePoint } from './steps/resolve-point.js';

/** A record as readers see it, or saw it. */
export async function getRecord(
  context: QueryContext,
  input: { collection: string; key: string; at: PointInTime },
): Promise<{ record: RecordView; tag: string; revision: number }> {
  const { collection, key } = input;
  const point = await resolvePoint(context.db, input.at);
  const { head, collectionId, inForce, horizon, state } = await findRecordState(context.db, {
    collection,
    key,
    revision: point,
  });
  if (collectionId === null || (point === null && !inForce)) throw collectionNotFound(collection);
  if (point !== null && point < horizon) throw revisionCompacted(collection, point, horizon);
  if (state === null) throw recordNotFound(input, null);
  const { version, content, digest, revision } = state;
  if (version === null || content === null || digest === null) throw recordNotFound(input, revision);
  return {
    record: {
      collection,
      key,
      version,
      revision,
      data: JSON.parse(content),
      committedAt: state.committedAt.toISOString(),
      committedBy: state.committedBy,
      message: state.message,
    },
    tag: recordTag({ revision, digest: digest.toString('hex') }),
    revision: point ?? head,
  };
}
