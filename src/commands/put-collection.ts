import type { Actor } from '../domain/actor.js';
import type { CollectionView, Definition, DefinitionImpact } from '../domain/collection.js';
import { toCollectionView } from '../domain/collection-view.js';
import { compileDefinition, DefinitionError } from '../domain/definition/compile.js';
import { checkPrecondition, collectionTag } from '../domain/entity-tag.js';
import { DiptychError } from '../domain/errors.js';
import type { Precondition } from '../domain/precondition.js';
import { canonicalJson } from '../lib/canonical-json.js';
import { sha256 } from '../lib/digest.js';
import type { JsonObject } from '../lib/json-value.js';
import {
  findCollection,
  findCollections,
  insertDefinition,
  lockCollectionName,
} from '../store/collections.js';
import { deleteCollectionConstraints, insertReferences, insertUniqueValues } from '../store/constraints.js';
import { type Tx, withTransaction } from '../store/db.js';
import { lockHead } from '../store/head.js';
import type { Context } from './context.js';
import { appendDefinitionCommit } from './steps/append-definition.js';
import { assessDefinition } from './steps/assess-definition.js';

export interface PutCollectionInput {
  collection: string;
  definition: Definition;
  precondition: Precondition;
  actor: Actor;
}

export interface PutCollectionAnswer {
  created: boolean;
  /** The same definition was in force already: nothing was written. */
  unchanged: boolean;
  view: CollectionView;
  tag: string;
  revision: number;
}

/** Creates a collection, or puts a new definition in force; refused while live records would break it. */
export function putCollection(context: Context, input: PutCollectionInput): Promise<PutCollectionAnswer> {
  return prepare(context, input, async (tx, prepared) => {
    const { head, id, lastNumber, existing, content, digest } = prepared;
    const present =
      existing &&
      collectionTag({ number: existing.definitionNumber, digest: existing.definitionDigest.toString('hex') });
    const unchanged = existing?.definitionContent === content;
    checkPrecondition(input.precondition, present, { what: 'collection', required: !unchanged });
    let revision = head.revision;
    if (!unchanged) {
      const assessment = await assess(context, tx, prepared);
      if (assessment.impact.live.failing > 0) throw definitionConflict(assessment.impact);
      const number = lastNumber + 1;
      revision = await appendDefinitionCommit(tx, head, {
        author: input.actor.name,
        definition: { collection: input.collection, number, digest: digest.toString('hex') },
      });
      await insertDefinition(tx, { collectionId: id, number, revision, content, digest });
      await deleteCollectionConstraints(tx, id);
      await insertUniqueValues(tx, assessment.uniqueValues);
      await insertReferences(tx, assessment.references);
    }
    const row = await findCollection(tx, input.collection);
    if (row === null) throw new Error('a collection that was just written is not there');
    return { created: existing === null, unchanged, ...toCollectionView(row), revision };
  });
}

/** What the definition would do to every live and pending record; writes nothing. */
export function rehearseDefinition(
  context: Context,
  input: Omit<PutCollectionInput, 'precondition'>,
): Promise<DefinitionImpact & { revision: number }> {
  return rolledBack((stop) =>
    prepare(context, input, async (tx, prepared) => {
      const { impact } = await assess(context, tx, prepared);
      return stop({ ...impact, revision: prepared.head.revision });
    }),
  );
}

type Prepared = Awaited<ReturnType<typeof load>> & {
  compiled: ReturnType<typeof compile>;
  content: string;
  digest: Buffer;
};

async function prepare<T>(
  context: Context,
  input: Omit<PutCollectionInput, 'precondition'>,
  work: (tx: Tx, prepared: Prepared) => Promise<T>,
): Promise<T> {
  const compiled = compile(input.definition);
  const content = canonicalJson(input.definition as JsonObject);
  return await withTransaction(context.db, async (tx) => {
    const loaded = await load(tx, input.collection);
    await requireReferencedCollections(tx, input);
    return await work(tx, { ...loaded, compiled, content, digest: sha256(content) });
  });
}

async function load(tx: Tx, name: string) {
  const head = await lockHead(tx);
  const { id, lastNumber } = await lockCollectionName(tx, name);
  return { head, id, lastNumber, existing: await findCollection(tx, name) };
}

function compile(definition: Definition) {
  try {
    return compileDefinition(definition);
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    throw new DiptychError(
      'definition-invalid',
      'The definition cannot be held to its bounds, or contradicts itself.',
      {
        errors: error.failures,
      },
    );
  }
}

async function requireReferencedCollections(
  tx: Tx,
  { collection, definition }: Pick<PutCollectionInput, 'collection' | 'definition'>,
) {
  const references = definition.references ?? [];
  const found = await findCollections(
    tx,
    references.map((reference) => reference.collection),
  );
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
  if (errors.length > 0)
    throw new DiptychError('definition-invalid', 'The definition refers to collections that do not exist.', {
      errors,
    });
}

const assess = (context: Context, tx: Tx, { id, compiled }: Prepared) =>
  assessDefinition(tx, { collectionId: id, compiled, limits: context.limits });

function definitionConflict({ live }: DefinitionImpact): DiptychError {
  return new DiptychError(
    'definition-conflict',
    `${live.failing} of ${live.checked} live records would break the definition.`,
    {
      extensions: { failing: live.failing, checked: live.checked, sample: live.sample },
    },
  );
}

/** Runs a transaction for its answer alone: `stop` ends it with a rollback. */
async function rolledBack<T>(run: (stop: (answer: T) => never) => Promise<unknown>): Promise<T> {
  class Stopped {
    constructor(readonly answer: T) {}
  }
  try {
    await run((answer) => {
      throw new Stopped(answer);
    });
  } catch (error) {
    if (error instanceof Stopped) return error.answer;
    throw error;
  }
  throw new Error('a rehearsal that did not stop');
}
