import type { Definition } from '../domain/collection.js';
import { collectionNotFound, recordNotFound } from '../domain/refusals.js';
import { cutoffOf, decideRetention, effectivePolicy } from '../domain/retention.js';
import { type RetentionView, toExplainedVersion } from '../domain/retention-view.js';
import { formatCursor, parseCursor } from '../lib/cursor.js';
import { findCollection } from '../store/collections.js';
import type { Executor } from '../store/db.js';
import { findHorizon } from '../store/horizon.js';
import { findRecords } from '../store/records.js';
import {
  findLastRevision,
  findNow,
  findRecordRange,
  findRetentionRun,
  listRetentionFacts,
  type RetentionPosition,
} from '../store/retention.js';
import type { QueryContext } from './context.js';
import { atHead } from './steps/at-head.js';
import { cursorInvalid } from './steps/number-cursor.js';

export interface GetRetentionInput {
  collection: string;
  /** Only the versions of this record. */
  key?: string | undefined;
  /** Only those that would go now. */
  expiring: boolean;
  limit: number;
  cursor?: string | undefined;
}

/** Records that one page looks through at most: where little expires, pages are short rather than slow. */
const maxRecords = 10_000;

/**
 * What the retention policy of a collection means, version by version: what would go now, and why the others
 * stay. In the order in which the records were created.
 *
 * @param now the moment to judge ages by; that of the database's clock if absent
 */
export async function getRetention(
  context: Pick<QueryContext, 'db'>,
  input: GetRetentionInput,
  now?: Date,
): Promise<{ view: RetentionView; revision: number }> {
  const start = readCursor(input);
  return await atHead(context.db, async (snapshot, revision) => {
    const collection = await findCollection(snapshot, input.collection);
    if (collection === null) throw collectionNotFound(input.collection);
    const definition: Definition = JSON.parse(collection.definitionContent);
    const { policy, isDefault } = effectivePolicy(definition);
    const moment = now ?? (await findNow(snapshot));
    const cutoff = cutoffOf(policy, moment);
    const search = input.expiring
      ? {
          behind: policy.keepVersions ?? 0,
          upToRevision: cutoff === null ? null : await findLastRevision(snapshot, cutoff),
          archived: policy.onExpire === 'delete',
        }
      : null;
    const range = await findRange(snapshot, input, collection.id, start);
    const found =
      range === null
        ? []
        : await listRetentionFacts(snapshot, {
            collectionId: collection.id,
            after: range.after,
            upTo: range.last,
            limit: input.limit,
            search,
          });
    const last = found.at(-1);
    const isFull = last !== undefined && found.length === input.limit;
    const items = found
      .map((facts) => ({ facts, decision: decideRetention(policy, facts, moment) }))
      .filter(({ decision }) => !input.expiring || decision.outcome !== 'keep')
      .map(({ facts, decision }) => toExplainedVersion(facts, decision));
    const run = await findRetentionRun(snapshot, collection.id);
    return {
      view: {
        collection: collection.name,
        policy,
        isDefault,
        horizon: await findHorizon(snapshot, collection.id),
        run: run && {
          startedAt: run.startedAt.toISOString(),
          finishedAt: run.finishedAt?.toISOString() ?? null,
          archived: run.archived,
          deleted: run.deleted,
        },
        items,
        next: isFull
          ? formatPosition(input, last)
          : range?.more
            ? formatPosition(input, { recordId: range.last + 1, number: 0 })
            : null,
      },
      revision,
    };
  });
}

/** The records that a page looks through: that of the key, or the next ones. */
async function findRange(
  executor: Executor,
  input: GetRetentionInput,
  collectionId: number,
  start: RetentionPosition,
): Promise<{ after: RetentionPosition; last: number; more: boolean } | null> {
  if (input.key !== undefined) {
    const [record] = await findRecords(executor, [{ collectionId, key: input.key }]);
    if (record === undefined || record.revision === null)
      throw recordNotFound({ collection: input.collection, key: input.key }, null);
    const number = start.recordId === record.id ? start.number : 0;
    return { after: { recordId: record.id, number }, last: record.id, more: false };
  }
  const range = await findRecordRange(executor, collectionId, start.recordId, maxRecords);
  return range && { after: start, last: range.last, more: range.count === maxRecords };
}

const listName = ({ key, expiring }: GetRetentionInput) =>
  JSON.stringify(['retention', key ?? null, expiring]);

const formatPosition = (input: GetRetentionInput, at: RetentionPosition) =>
  formatCursor([listName(input), at.recordId, at.number]);

function readCursor(input: GetRetentionInput): RetentionPosition {
  if (input.cursor === undefined) return { recordId: 0, number: 0 };
  const position = parseCursor(input.cursor);
  if (!Array.isArray(position) || position.length !== 3) throw cursorInvalid();
  const [name, recordId, number] = position;
  if (name !== listName(input) || !isCount(recordId, 2 ** 52) || !isCount(number, 2 ** 31 - 1))
    throw cursorInvalid();
  return { recordId, number };
}

const isCount = (value: unknown, max: number): value is number =>
  Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= max;
