import type { Definition } from '../../domain/collection.js';
import {
  type CompiledDefinition,
  compileDefinition,
  DefinitionError,
} from '../../domain/definition/compile.js';
import { DiptychError } from '../../domain/errors.js';
import { findCollections } from '../../store/collections.js';
import type { Executor } from '../../store/db.js';

/** @throws DiptychError `definition-invalid` */
export function compileOrRefuse(definition: Definition): CompiledDefinition {
  try {
    return compileDefinition(definition);
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    throw new DiptychError(
      'definition-invalid',
      'The definition cannot be held to its bounds, or contradicts itself.',
      { errors: error.failures },
    );
  }
}

/** @throws DiptychError `definition-invalid` where the definition refers to collections that do not exist */
export async function requireReferencedCollections(
  executor: Executor,
  { collection, definition }: { collection: string; definition: Definition },
): Promise<void> {
  const references = definition.references ?? [];
  if (references.length === 0) return;
  const wanted = references.map((reference) => reference.collection);
  const found = await findCollections(executor, wanted);
  const names = new Set([collection, ...found.map((row) => row.name)]);
  const errors = references.flatMap((reference, index) =>
    names.has(reference.collection)
      ? []
      : [
          {
            pointer: `/references/${index}/collection`,
            code: 'collection-not-found',
            message: `must name a collection, and there is no ${reference.collection}; create it first`,
          },
        ],
  );
  if (errors.length === 0) return;
  throw new DiptychError('definition-invalid', 'The definition refers to collections that do not exist.', {
    errors,
  });
}
