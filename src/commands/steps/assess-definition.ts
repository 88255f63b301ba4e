import type { DefinitionImpact } from '../../domain/collection.js';
import type { CompiledDefinition } from '../../domain/definition/compile.js';
import type { Failure } from '../../domain/failure.js';
import { sha256 } from '../../lib/digest.js';
import type { JsonObject } from '../../lib/json-value.js';
import type { ReferenceRow, UniqueValueRow } from '../../store/constraints.js';
import type { Tx } from '../../store/db.js';
import { findLiveTargets, listLiveContent } from '../../store/records.js';
import { listPendingContent } from '../../store/versions.js';

const batchSize = 500;
/** Records that a report shows at most, of each sort; all are counted. */
const sampleSize = 20;

/** What a definition means for the records of its collection, and what it would keep about them. */
export interface Assessment {
  impact: DefinitionImpact;
  uniqueValues: UniqueValueRow[];
  references: ReferenceRow[];
}

/** Judges every live and every pending record by a definition that is not in force yet. */
export async function assessDefinition(
  tx: Tx,
  subject: { collectionId: number; compiled: CompiledDefinition; limits: { maxRecordBytes: number } },
): Promise<Assessment> {
  const started = performance.now();
  const live: DefinitionImpact['live'] = { checked: 0, failing: 0, sample: [] };
  const pending: DefinitionImpact['pending'] = { checked: 0, failing: 0, sample: [] };
  const uniqueValues: UniqueValueRow[] = [];
  const references: ReferenceRow[] = [];
  const holders = new Map<string, string>();

  for await (const batch of batches(
    (after: string) => listLiveContent(tx, subject.collectionId, after, batchSize),
    '',
    (row) => row.key,
  )) {
    const targets = await liveTargets(tx, subject.compiled, batch);
    for (const { id, key, content } of batch) {
      const data: JsonObject = JSON.parse(content);
      const errors = judge(subject.compiled, { data, current: data, key, operation: 'update' });
      for (const { constraint, pointer, value } of subject.compiled.uniqueValues(data)) {
        const digest = sha256(value);
        const name = `${constraint} ${digest.toString('hex')}`;
        const holder = holders.get(name);
        if (holder !== undefined) {
          errors.push({
            pointer,
            code: 'unique',
            message: `must be unique, and the record ${JSON.stringify(holder)} has the same value`,
          });
        } else {
          holders.set(name, key);
          uniqueValues.push({
            collectionId: subject.collectionId,
            pointers: constraint,
            digest,
            recordId: id,
          });
        }
      }
      for (const reference of subject.compiled.references(data)) {
        const target = targets.get(`${reference.collection} ${reference.key}`);
        if (target === undefined) {
          const message = `must be the key of a live record of ${reference.collection}, and ${JSON.stringify(reference.key)} is none`;
          errors.push({ pointer: reference.pointer, code: 'reference', message });
        } else {
          references.push({ sourceRecordId: id, pointer: reference.constraint, targetRecordId: target });
        }
      }
      count(live, errors, { key, errors });
    }
  }

  for await (const batch of batches(
    (after: number) => listPendingContent(tx, subject.collectionId, after, batchSize),
    0,
    (row) => row.id,
  )) {
    for (const row of batch) {
      const current: JsonObject | null = row.currentContent === null ? null : JSON.parse(row.currentContent);
      const operation = row.content === null ? 'delete' : current === null ? 'create' : 'update';
      const data: JsonObject | null = row.content === null ? null : JSON.parse(row.content);
      const errors = judge(subject.compiled, { data, current, key: row.key, operation });
      count(pending, errors, { key: row.key, changeset: row.changesetId, errors });
    }
  }
  return {
    impact: { dryRun: true, live, pending, durationMs: Math.round(performance.now() - started) },
    uniqueValues,
    references,
  };
}

const judge = (
  compiled: CompiledDefinition,
  input: Parameters<CompiledDefinition['judge']>[0],
): Failure[] => [...compiled.judge(input).errors];

function count<Row>(
  tally: { checked: number; failing: number; sample: Row[] },
  errors: Failure[],
  row: Row,
): void {
  tally.checked += 1;
  if (errors.length === 0) return;
  tally.failing += 1;
  if (tally.sample.length < sampleSize) tally.sample.push(row);
}

async function* batches<Row, Position>(
  list: (after: Position) => Promise<Row[]>,
  start: Position,
  positionOf: (row: Row) => Position,
): AsyncGenerator<Row[]> {
  for (let after = start; ; ) {
    const batch = await list(after);
    const last = batch.at(-1);
    if (last === undefined) return;
    yield batch;
    after = positionOf(last);
  }
}

async function liveTargets(
  tx: Tx,
  compiled: CompiledDefinition,
  batch: { content: string }[],
): Promise<Map<string, number>> {
  const wanted = batch.flatMap(({ content }) => compiled.references(JSON.parse(content)));
  if (wanted.length === 0) return new Map();
  const found = await findLiveTargets(tx, wanted);
  return new Map(found.map((target) => [`${target.collection} ${target.key}`, target.id]));
}
