import type { DefinitionCache } from '../../domain/definition-cache.js';
import { recordTag } from '../../domain/entity-tag.js';
import type { DiptychError } from '../../domain/errors.js';
import { versionExpired } from '../../domain/horizon.js';
import type { Intent } from '../../domain/intent.js';
import type { Found, FoundCollection, State } from '../../domain/plan.js';
import { collectionNotFound } from '../../domain/refusals.js';
import { tagOfPending } from '../../domain/validation-state.js';
import type { JsonObject } from '../../lib/json-value.js';
import { type CollectionInForce, findCollectionsInForce } from '../../store/collections.js';
import type { Executor, Tx } from '../../store/db.js';
import { findDefinitionsById } from '../../store/definitions.js';
import {
  findNamedRecords,
  lockNamedRecords,
  type RecordAddress,
  type RecordName,
  type RecordRow,
} from '../../store/records.js';
import { type CommittedRow, findCommitted, findPending, type PendingRow } from '../../store/versions.js';

/** What was found for an intent, or why nothing could be. */
export type Lookup = { found: Found } | { refused: DiptychError };

interface Source {
  executor: Executor;
  definitions: DefinitionCache;
  findRecords: (wanted: RecordName[]) => Promise<RecordRow[]>;
}

/** Loads what the intents are about, locking the records: nobody stages into them meanwhile. */
export function lockFound(tx: Tx, definitions: DefinitionCache, intents: Intent[]): Promise<Lookup[]> {
  const findRecords = (wanted: RecordName[]) => lockNamedRecords(tx, wanted);
  return loadFound({ executor: tx, definitions, findRecords }, intents);
}

/** The same without locks, for looking only. */
export function readFound(
  executor: Executor,
  definitions: DefinitionCache,
  intents: Intent[],
): Promise<Lookup[]> {
  const findRecords = (wanted: RecordName[]) => findNamedRecords(executor, wanted);
  return loadFound({ executor, definitions, findRecords }, intents);
}

async function loadFound(source: Source, intents: Intent[]): Promise<Lookup[]> {
  if (intents.length === 0) return [];
  const { executor } = source;
  const names = [...new Set(intents.map((intent) => intent.collection))];
  const [inForce, rows] = await Promise.all([
    findCollectionsInForce(executor, names),
    source.findRecords(intents),
  ]);
  const collections = await findCompiled(source, inForce);
  const records = new Map(rows.map((row) => [addressOf(row), row]));
  const recordOf = (intent: Intent) => {
    const collection = collections.get(intent.collection);
    return collection && records.get(addressOf({ collectionId: collection.id, key: intent.key }));
  };

  const wantedPending = intents.flatMap((intent) => {
    const record = recordOf(intent);
    return record && (intent.type === 'pending' || intent.type === 'member')
      ? [{ recordId: record.id, changesetId: intent.changeset }]
      : [];
  });
  const pending = wantedPending.length === 0 ? [] : await findPending(executor, wantedPending);
  const pendingByRecord = new Map(pending.map((row) => [row.recordId, row]));

  const wantedTargets = intents.flatMap((intent) => {
    const record = recordOf(intent);
    const number = intent.type === 'rollback' || intent.type === 'revert' ? intent.toVersion : null;
    return record && number !== null ? [{ recordId: record.id, number }] : [];
  });
  const targets = wantedTargets.length === 0 ? [] : await findCommitted(executor, wantedTargets);
  const targetByRecord = new Map(targets.map((row) => [row.recordId, row]));

  return intents.map((intent) => {
    const collection = collections.get(intent.collection);
    if (collection === undefined) return { refused: collectionNotFound(intent.collection) };
    const record = recordOf(intent);
    const target = record && targetByRecord.get(record.id);
    if (target?.content === null) return { refused: versionExpired(intent, target.number) };
    return {
      found: toFound(collection, {
        record,
        pending: record && pendingByRecord.get(record.id),
        target,
      }),
    };
  });
}

const addressOf = (address: RecordAddress) => `${address.collectionId} ${address.key}`;

/** By name, one object for all records of a collection. Only definitions that are new here are read and compiled. */
async function findCompiled(
  { executor, definitions }: Source,
  inForce: CollectionInForce[],
): Promise<Map<string, FoundCollection>> {
  const known = new Map(inForce.map(({ definitionId: id }) => [id, definitions.find(id)]));
  const unknown = [...known].flatMap(([id, definition]) => (definition === undefined ? [id] : []));
  const contents = unknown.length === 0 ? new Map() : await findDefinitionsById(executor, unknown);
  for (const [definitionId, definitionContent] of contents)
    known.set(definitionId, definitions.get({ definitionId, definitionContent }));
  return new Map(
    inForce.map((collection) => {
      const definition = known.get(collection.definitionId);
      if (definition === undefined) throw new Error(`the definition of ${collection.name} is not there`);
      return [collection.name, { ...collection, definition }];
    }),
  );
}

function toFound(
  collection: FoundCollection,
  rows: { record: RecordRow | undefined; pending: PendingRow | undefined; target: CommittedRow | undefined },
): Found {
  const { record, pending, target } = rows;
  const current = record ? currentState(record) : null;
  const setting = {
    currentVersionId: record?.currentVersionId ?? null,
    definitionId: collection.definitionId,
  };
  return {
    collection,
    record: record ? { id: record.id, revision: record.revision, lastNumber: record.lastNumber } : null,
    current,
    pending: pending
      ? { ...pending, content: pendingContent(pending), tag: tagOfPending(pending, setting) }
      : null,
    tag:
      current && record?.revision ? recordTag({ revision: record.revision, digest: current.digest }) : null,
    target: target?.content ? toState({ ...target, content: target.content }) : null,
  };
}

/** The current version of a record row; null when it is not live. */
export function currentState(record: RecordRow): State | null {
  const { currentVersionId, currentNumber, currentContent, currentDigest } = record;
  if (
    currentVersionId === null ||
    currentNumber === null ||
    currentContent === null ||
    currentDigest === null
  )
    return null;
  return toState({
    id: currentVersionId,
    number: currentNumber,
    content: currentContent,
    digest: currentDigest,
  });
}

function toState(version: { id: number; number: number; content: string; digest: Buffer }): State {
  let data: JsonObject | undefined;
  return {
    versionId: version.id,
    number: version.number,
    digest: version.digest.toString('hex'),
    get data() {
      data ??= JSON.parse(version.content) as JsonObject;
      return data;
    },
  };
}

function pendingContent(pending: PendingRow) {
  if (pending.content === null || pending.digest === null) return null;
  return { text: pending.content, data: JSON.parse(pending.content), digest: pending.digest.toString('hex') };
}
