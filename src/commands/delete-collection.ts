import type { Actor } from '../domain/actor.js';
import { checkPrecondition, collectionTag, matchesDefinitionTag } from '../domain/entity-tag.js';
import { DiptychError } from '../domain/errors.js';
import type { Precondition } from '../domain/precondition.js';
import { collectionNotFound } from '../domain/refusals.js';
import {
  countCollectionUse,
  findCollection,
  lockCollectionName,
  removeDefinition,
} from '../store/collections.js';
import { withTransaction } from '../store/db.js';
import { lockHead } from '../store/head.js';
import type { Context } from './context.js';
import { appendDefinitionCommit } from './steps/append-definition.js';

/** Ends a collection that nothing uses any more. Its name and the history of its records stay. */
export async function deleteCollection(
  context: Context,
  input: { collection: string; precondition: Precondition; actor: Actor },
): Promise<{ revision: number }> {
  return await withTransaction(context.db, async (tx) => {
    const head = await lockHead(tx);
    if ((await findCollection(tx, input.collection)) === null) throw collectionNotFound(input.collection);
    const { id } = await lockCollectionName(tx, input.collection);
    const existing = await findCollection(tx, input.collection);
    if (existing === null) throw collectionNotFound(input.collection);
    const tag = collectionTag({
      number: existing.definitionNumber,
      digest: existing.definitionDigest.toString('hex'),
    });
    checkPrecondition(input.precondition, tag, {
      what: 'collection',
      required: false,
      matches: matchesDefinitionTag,
    });
    const use = await countCollectionUse(tx, { id, name: input.collection });
    if (use.live + use.pending + use.referencedBy.length > 0) {
      throw new DiptychError(
        'collection-in-use',
        `The collection ${input.collection} has ${use.live} live records and ${use.pending} pending versions, and ${use.referencedBy.length} collections refer to it.`,
        { extensions: { ...use } },
      );
    }
    await removeDefinition(tx, id);
    const definition = { collection: input.collection, number: null, digest: null };
    return { revision: appendDefinitionCommit(tx, head, { author: input.actor.name, definition }) };
  });
}
