import type { DefinitionCache } from '../../domain/definition-cache.js';
import { recordTag } from '../../domain/entity-tag.js';
import type { Found } from '../../domain/plan.js';
import { tagOfPending } from '../../domain/validation-state.js';
import type { Executor } from '../../store/db.js';
import { findDefinitionsById } from '../../store/definitions.js';
import type { JudgedLookup, JudgedRow } from '../../store/judged-pendings.js';
import { currentState } from './load-found.js';

/** What the judgement of a pending version is about. */
export type FoundPending = Found & { pending: NonNullable<Found['pending']> };

/** Compiles the definitions that judge these pending versions, where they are not known yet. */
export async function loadDefinitions(
  executor: Executor,
  definitions: DefinitionCache,
  lookups: JudgedLookup[],
): Promise<void> {
  const ids = new Set(lookups.flatMap((lookup) => (lookup.id === null ? [] : lookup.definitionId)));
  const unknown = [...ids].filter((id) => definitions.find(id) === undefined);
  if (unknown.length === 0) return;
  for (const [definitionId, definitionContent] of await findDefinitionsById(executor, unknown))
    definitions.get({ definitionId, definitionContent });
}

/** A row of the store as it is judged, with its contents parsed. */
export function toFoundPending(
  row: JudgedRow,
  at: { collection: string; key: string },
  definitions: DefinitionCache,
): FoundPending {
  const { definitionId, currentVersionId, content, digest } = row;
  const definition = definitions.find(definitionId);
  if (definition === undefined) throw new Error(`the definition ${definitionId} is not loaded`);
  const current = currentState({ ...row, key: at.key });
  return {
    collection: {
      id: row.collectionId,
      name: at.collection,
      definitionId,
      definitionNumber: row.definitionNumber,
      definition,
    },
    record: { id: row.recordId, revision: row.revision, lastNumber: row.lastNumber },
    current,
    pending: {
      ...row,
      content:
        content === null || digest === null
          ? null
          : { text: content, data: JSON.parse(content), digest: digest.toString('hex') },
      tag: tagOfPending(row, { currentVersionId, definitionId }),
    },
    tag: current && row.revision ? recordTag({ revision: row.revision, digest: current.digest }) : null,
    target: null,
  };
}
