import { revisionCompacted } from '../domain/horizon.js';
import type { PointInTime } from '../domain/point-in-time.js';
import { RecordAnswer } from '../domain/record-answer.js';
import { collectionNotFound, recordNotFound } from '../domain/refusals.js';
import { nameOfRecord } from '../store/record-loads.js';
import type { WantedRecord } from '../store/record-states.js';
import type { QueryContext } from './context.js';
import { requireReached, resolvePoint } from './steps/resolve-point.js';

/** A record as readers see it, or saw it. */
export async function getRecord(
  context: QueryContext,
  input: { collection: string; key: string; at: PointInTime },
): Promise<RecordAnswer> {
  const { collection, key } = input;
  const wanted = { collection, key, at: await resolvePoint(context, input.at) };
  return (await findKept(context, wanted)) ?? (await load(context, wanted));
}

/** From the cache, once a fence has covered it: what is still there then has not changed. */
async function findKept({ reads }: QueryContext, wanted: WantedRecord): Promise<RecordAnswer | null> {
  const { clock, cache, fence } = reads;
  const { collection, at } = wanted;
  const name = nameOfRecord(wanted);
  const arrivedAt = clock.now;
  if (!cache.has(name)) return null;
  const isPast = at !== null;
  const { sentAt, head, standings } = await fence.cover(isPast ? collection : undefined);
  const horizon = standings.get(collection)?.horizon ?? 0;
  if (isPast && at < horizon) throw revisionCompacted(collection, at, horizon);
  const record = cache.get(name);
  if (record?.type !== 'record') return null;
  const revision = at ?? cache.revision;
  reads.onServed?.({ arrivedAt, sentAt, head, revision, isPast });
  return new RecordAnswer(record.text, record.tag, revision);
}

async function load({ reads }: QueryContext, wanted: WantedRecord): Promise<RecordAnswer> {
  const { collection, at } = wanted;
  const arrivedAt = reads.clock.now;
  const { found, record, head, sentAt } = await reads.records.load(wanted);
  const { collectionId, inForce, horizon, state } = found;
  if (at !== null) requireReached(at, head);
  if (collectionId === null || (at === null && !inForce)) throw collectionNotFound(collection);
  if (at !== null && at < horizon) throw revisionCompacted(collection, at, horizon);
  if (record === null) throw recordNotFound(wanted, state?.revision ?? null);
  const revision = at ?? head;
  reads.onServed?.({ arrivedAt, sentAt, head, revision, isPast: at !== null });
  return new RecordAnswer(record.text, record.tag, revision);
}
