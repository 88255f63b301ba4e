import { DiptychError } from '../domain/errors.js';
import type { PreviewView } from '../domain/record.js';
import { collectionNotFound, recordNotFound } from '../domain/refusals.js';
import { findPreview } from '../store/preview.js';
import type { QueryContext } from './context.js';
import { atHead } from './steps/at-head.js';
import { requirePreviewable } from './steps/require-previewable.js';

/** A record as it would be read if the changeset were committed now. */
export async function previewRecord(
  context: QueryContext,
  input: { collection: string; key: string; changeset: string },
): Promise<{ record: PreviewView; revision: number }> {
  const { collection, key, changeset } = input;
  const { head, inForce, lastRevision, row } = await atHead(context.db, async (snapshot, revision) => {
    await requirePreviewable(snapshot, changeset, revision);
    return await findPreview(snapshot, { collection, key, changesetId: changeset });
  });
  if (!inForce) throw collectionNotFound(collection).asOf(head);
  if (row === null) throw recordNotFound(input, null).asOf(head);
  const { content, committedAt, pending, revision, version, committedBy, message } = row;
  if (content === null) {
    const refusal =
      pending && lastRevision !== null
        ? new DiptychError(
            'record-deleted',
            `The changeset ${changeset} deletes the record ${JSON.stringify(key)} in ${collection}.`,
          )
        : recordNotFound(input, lastRevision);
    throw refusal.asOf(head);
  }
  return {
    record: {
      collection,
      key,
      version,
      revision,
      data: JSON.parse(content),
      committedAt: committedAt?.toISOString() ?? null,
      committedBy,
      message,
      pending,
    },
    revision: head,
  };
}
