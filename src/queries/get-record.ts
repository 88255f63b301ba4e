import { revisionCompacted } from '../domain/horizon.js';
import type { PointInTime } from '../domain/point-in-time.js';
import { RecordAnswer } from '../domain/record-answer.js';
import { collectionNotFound, recordNotFound } from '../domain/refusals.js';
import type { Cover } from '../store/fence.js';
import { nameOfRecord } from '../store/record-loads.js';
import type { WantedRecord } from '../store/record-states.js';
import type { QueryContext } from './context.js';
import { requireReached, resolvePoint } from './steps/resolve-point.js';

/** What a read is told: its answer, or why there is none. */
export interface Reader {
  done(answer: RecordAnswer): void;
  failed(error: unknown): void;
}

export interface GetRecordInput {
  collection: string;
  key: string;
  at: PointInTime;
}

/** A record as readers see it, or saw it. */
export function getRecord(context: QueryContext, input: GetRecordInput): Promise<RecordAnswer> {
  return new Promise((done, failed) => readRecord(context, input, { done, failed }));
}

/** The same without a promise: most reads are answered from memory, and it would cost as much as they do. */
export function readRecord(
  context: QueryContext,
  { collection, key, at }: GetRecordInput,
  reader: Reader,
): void {
  if (at.type === 'head') readAsOf(context, { collection, key, at: null }, reader);
  else
    resolvePoint(context, at).then(
      (revision) => readAsOf(context, { collection, key, at: revision }, reader),
      reader.failed,
    );
}

/** From the cache, once a fence has covered it: what is still there then has not changed. */
function readAsOf(context: QueryContext, wanted: WantedRecord, reader: Reader): void {
  const { clock, cache, fence, onServed } = context.reads;
  const { collection, at } = wanted;
  const name = nameOfRecord(wanted);
  const arrivedAt = clock.now;
  if (!cache.has(name)) {
    load(context, wanted).then(reader.done, reader.failed);
    return;
  }
  const isPast = at !== null;
  const covered = ({ sentAt, head, collections }: Cover) => {
    const horizon = collections.get(collection)?.horizon ?? 0;
    if (isPast && at < horizon) {
      reader.failed(revisionCompacted(collection, at, horizon).asOf(head));
      return;
    }
    const record = cache.get(name);
    if (record?.type !== 'record') {
      load(context, wanted).then(reader.done, reader.failed);
      return;
    }
    const revision = at ?? cache.revision;
    onServed?.({ arrivedAt, sentAt, head, revision, isPast });
    reader.done(new RecordAnswer(record.text, record.tag, revision));
  };
  fence.whenCovered({ covered, failed: reader.failed }, isPast ? collection : undefined);
}

async function load({ reads }: QueryContext, wanted: WantedRecord): Promise<RecordAnswer> {
  const { collection, at } = wanted;
  const arrivedAt = reads.clock.now;
  const { found, record, head, sentAt } = await reads.records.load(wanted);
  const { collectionId, inForce, horizon, state } = found;
  if (at !== null) requireReached(at, head);
  if (collectionId === null || (at === null && !inForce)) throw collectionNotFound(collection).asOf(head);
  if (at !== null && at < horizon) throw revisionCompacted(collection, at, horizon).asOf(head);
  if (record === null) throw recordNotFound(wanted, state?.revision ?? null).asOf(at ?? head);
  const revision = at ?? head;
  reads.onServed?.({ arrivedAt, sentAt, head, revision, isPast: at !== null });
  return new RecordAnswer(record.text, record.tag, revision);
}
