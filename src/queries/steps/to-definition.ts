import type { DefinitionView } from '../../domain/collection.js';
import type { DefinitionRow } from '../../store/definitions.js';

/** A definition as its readers see it. */
export function toDefinitionView(
  collection: string,
  row: DefinitionRow,
  contents: Map<number, string>,
): DefinitionView {
  return {
    collection,
    number: row.number,
    revision: row.revision,
    definition: JSON.parse(contents.get(row.number) ?? '{}'),
    digest: row.digest.toString('hex'),
    committedAt: row.committedAt.toISOString(),
    committedBy: row.committedBy,
    current: row.current,
  };
}
