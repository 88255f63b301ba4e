import type { DefinitionView } from '../domain/collection.js';
import { DiptychError } from '../domain/errors.js';
import { collectionNotFound } from '../domain/refusals.js';
import { findCollection } from '../store/collections.js';
import { findDefinition, findDefinitionContents } from '../store/definitions.js';
import type { QueryContext } from './context.js';
import { atHead } from './steps/at-head.js';
import { toDefinitionView } from './steps/to-definition.js';

/** One definition of a collection, whether it is in force or was. */
export async function getDefinition(
  context: QueryContext,
  input: { collection: string; number: number },
): Promise<{ definition: DefinitionView; revision: number }> {
  const { collection, number } = input;
  return await atHead(context.db, async (snapshot, revision) => {
    const found = await findCollection(snapshot, collection);
    if (found === null) throw collectionNotFound(collection);
    const row = await findDefinition(snapshot, { collectionId: found.id, number });
    if (row === null) {
      throw new DiptychError('definition-not-found', `${collection} has no definition ${number}.`, {
        extensions: { newest: found.definitionNumber },
      });
    }
    const contents = await findDefinitionContents(snapshot, { collectionId: found.id, numbers: [number] });
    return { definition: toDefinitionView(collection, row, contents), revision };
  });
}
