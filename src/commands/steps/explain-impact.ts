import type { DefinitionImpact } from '../../domain/collection.js';
import type { Failure } from '../../domain/failure.js';
import { findLiveContent, findPendingContent } from '../../store/assessed-content.js';
import {
  type Break,
  explainLive,
  explainPending,
  findBrokenLive,
  findBrokenPending,
  type Referring,
} from '../../store/assessment-breaks.js';
import type { Executor } from '../../store/db.js';
import { type Candidate, fromLive, fromPending, type Subject } from './assess-definition.js';

/** Records that a report shows at most, of each sort; all are counted. */
const sampleSize = 20;

/** How many live records would break the definition, with a sample of them and why. */
export async function explainLiveImpact(
  executor: Executor,
  subject: Subject,
): Promise<Omit<DefinitionImpact['live'], 'checked'>> {
  const { failing, recordIds } = await findBrokenLive(executor, sampleSize);
  if (failing === 0) return { failing, sample: [] };
  const breaks = await explainLive(executor, recordIds);
  const rows = await findLiveContent(executor, recordIds);
  const sample = rows.map((row) => ({
    key: row.key,
    errors: failuresOf(subject, fromLive(row), breaksOf(breaks, row.recordId)),
  }));
  return { failing, sample };
}

/** The same of pending versions, each alone or with the changeset that it belongs to. */
export async function explainPendingImpact(
  executor: Executor,
  subject: Subject,
  collection: string,
): Promise<Omit<DefinitionImpact['pending'], 'checked'>> {
  const { all, added } = subject.change.references;
  const referring: Referring = {
    collectionId: subject.collectionId,
    kept: all.flatMap((each, rule) =>
      each.collection === collection && !added.has(rule) ? [each.pointer] : [],
    ),
    pointers: all.map(({ pointer }) => pointer),
  };
  const { failing, pendingIds } = await findBrokenPending(executor, referring, sampleSize);
  if (failing === 0) return { failing, sample: [] };
  const breaks = await explainPending(executor, referring, pendingIds);
  const rows = await findPendingContent(executor, pendingIds);
  const sample = rows.map((row) => ({
    key: row.key,
    changeset: row.changesetId,
    errors: failuresOf(subject, fromPending(row), breaksOf(breaks, row.pendingId)),
  }));
  return { failing, sample };
}

const breaksOf = (breaks: Break[], ownerId: number) => breaks.filter((each) => each.ownerId === ownerId);

function failuresOf(subject: Subject, candidate: Candidate, breaks: Break[]): Failure[] {
  const { errors } = subject.compiled.judge(candidate);
  return [
    ...errors,
    ...rivalries(subject, breaks),
    ...danglingReferences(subject, candidate, breaks),
    ...referrers(breaks),
  ];
}

function rivalries({ change }: Subject, breaks: Break[]): Failure[] {
  return breaks.flatMap(({ kind, rule, other }) => {
    if (kind !== 'unique') return [];
    const [pointer = ''] = JSON.parse(change.unique.all[rule ?? -1] ?? '[]');
    const message = `must be unique, and the record ${JSON.stringify(other)} has the same value`;
    return [{ pointer, code: 'unique', message }];
  });
}

/** One failure for each element that leads nowhere, and not for each key. */
function danglingReferences({ compiled, change }: Subject, { data }: Candidate, breaks: Break[]): Failure[] {
  const dangling = new Set(
    breaks.flatMap(({ kind, rule, key }) => {
      const reference = kind === 'reference' ? change.references.all[rule ?? -1] : undefined;
      return reference ? [JSON.stringify([reference.pointer, reference.collection, key])] : [];
    }),
  );
  if (data === null || dangling.size === 0) return [];
  return compiled
    .references(data)
    .filter(({ constraint, collection, key }) => dangling.has(JSON.stringify([constraint, collection, key])))
    .map(({ pointer, collection, key }) => {
      const message = `must be the key of a live record of ${collection}, and ${JSON.stringify(key)} is none`;
      return { pointer, code: 'reference', message };
    });
}

function referrers(breaks: Break[]): Failure[] {
  return breaks.flatMap(({ kind, other, collection, pointer }) => {
    if (kind !== 'referenced') return [];
    const message = `cannot be deleted: ${JSON.stringify(other)} of ${collection} refers to it at ${pointer}`;
    return [{ pointer: '', code: 'referenced', message }];
  });
}
