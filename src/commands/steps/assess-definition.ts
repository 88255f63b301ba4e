import type { CompiledDefinition, JudgedChange } from '../../domain/definition/compile.js';
import type { ConstraintChange } from '../../domain/definition/constraint-change.js';
import { sha256 } from '../../lib/digest.js';
import {
  type LiveContent,
  listChangedContent,
  listLiveContent,
  listPendingContent,
  type PendingContent,
} from '../../store/assessed-content.js';
import {
  type AssessedReference,
  type AssessedValue,
  forgetAssessed,
  noteAssessed,
  noteMembers,
  type Owner,
} from '../../store/assessments.js';
import type { Executor } from '../../store/db.js';
import type { JudgePace } from './judge-pace.js';

/**
 * Units of work for the records that a definition is held against: a million ordinary records with a few
 * rules take a quarter of them. At 50 ns each they last 50 seconds, in turns with everybody else.
 */
export const assessmentWork = 1_000_000_000;

/** 16 bytes are read and parsed in the time of one unit; a value is hashed and written in that of 50. */
const bytesPerUnit = 16;
const unitsPerValue = 50;

/** A definition that is not in force yet, and the collection whose records it is held against. */
export interface Subject {
  collectionId: number;
  compiled: CompiledDefinition;
  change: ConstraintChange;
  pace: JudgePace;
}

/** Judges every live record; answers how many there are. */
export async function assessLive(executor: Executor, subject: Subject): Promise<number> {
  let checked = 0;
  for (let after = ''; ; ) {
    const batch = await listLiveContent(executor, subject.collectionId, after);
    const last = batch.at(-1);
    if (last === undefined) return checked;
    await assessBatch(executor, subject, batch, fromLive);
    checked += batch.length;
    after = last.key;
  }
}

/** Judges again what has changed after a revision. */
export async function assessChanged(executor: Executor, subject: Subject, revision: number): Promise<void> {
  for (let after = 0; ; ) {
    const at = { collectionId: subject.collectionId, revision, after };
    const batch = await listChangedContent(executor, at);
    const last = batch.at(-1);
    if (last === undefined) return;
    await forgetAssessed(
      executor,
      batch.map(({ recordId }) => recordId),
    );
    const live = batch.flatMap((row) => (row.content === null ? [] : [{ ...row, content: row.content }]));
    await assessBatch(executor, subject, live, fromLive);
    after = last.recordId;
  }
}

/** Judges every pending version, and notes who would be committed together; answers how many there are. */
export async function assessPending(executor: Executor, subject: Subject): Promise<number> {
  let checked = 0;
  for (let after = 0; ; ) {
    const batch = await listPendingContent(executor, subject.collectionId, after);
    const last = batch.at(-1);
    if (last === undefined) break;
    await assessBatch(executor, subject, batch, fromPending);
    checked += batch.length;
    after = last.pendingId;
  }
  const { all, added } = subject.change.unique;
  const kept = all.flatMap((pointers, rule) => (added.has(rule) ? [] : [{ rule, pointers }]));
  await noteMembers(executor, { collectionId: subject.collectionId, kept });
  return checked;
}

/** A record as the definition would judge it. */
export type Candidate = Owner & JudgedChange & { bytes: number };

export function fromLive({ recordId, key, content }: LiveContent): Candidate {
  const data = JSON.parse(content);
  return { pendingId: 0, recordId, key, data, current: data, operation: 'update', bytes: content.length };
}

export function fromPending({ content, currentContent, ...row }: PendingContent): Candidate {
  const data = content === null ? null : JSON.parse(content);
  const current = currentContent === null ? null : JSON.parse(currentContent);
  const operation = data === null ? 'delete' : current === null ? 'create' : 'update';
  return { ...row, data, current, operation, bytes: (content?.length ?? 0) + (currentContent?.length ?? 0) };
}

async function assessBatch<Row>(
  executor: Executor,
  subject: Subject,
  batch: Row[],
  toCandidate: (row: Row) => Candidate,
): Promise<void> {
  const failing: Owner[] = [];
  const values: AssessedValue[] = [];
  const references: AssessedReference[] = [];
  for (const row of batch) {
    const candidate = toCandidate(row);
    const { errors, work } = subject.compiled.judge(candidate);
    if (errors.length > 0) failing.push(candidate);
    const claimed = valuesOf(subject, candidate);
    const referred = referencesOf(subject, candidate);
    for (const value of claimed) values.push(value);
    for (const reference of referred) references.push(reference);
    subject.pace.spend(work + Math.ceil(candidate.bytes / bytesPerUnit));
    subject.pace.spend(unitsPerValue * (claimed.length + referred.length));
    await subject.pace.pause(executor);
  }
  await noteAssessed(executor, { failing, values, references });
}

/** Of live records only what rules say that are new: the store keeps the rest. */
const isNoted = ({ pendingId }: Owner, rule: number, added: Set<number>) =>
  rule >= 0 && (pendingId !== 0 || added.has(rule));

function valuesOf({ compiled, change }: Subject, { pendingId, recordId, data }: Candidate): AssessedValue[] {
  const { all, added } = change.unique;
  const owner = { pendingId, recordId };
  if (data === null || (pendingId === 0 && added.size === 0)) return [];
  return compiled.uniqueValues(data).flatMap(({ constraint, value }) => {
    const rule = all.indexOf(constraint);
    return isNoted(owner, rule, added) ? [{ ...owner, rule, digest: sha256(value) }] : [];
  });
}

function referencesOf(
  { compiled, change }: Subject,
  { pendingId, recordId, data }: Candidate,
): AssessedReference[] {
  const { all, added } = change.references;
  const owner = { pendingId, recordId };
  if (data === null || (pendingId === 0 && added.size === 0)) return [];
  return compiled.references(data).flatMap(({ constraint, collection, key }) => {
    const rule = all.findIndex((each) => each.pointer === constraint && each.collection === collection);
    return isNoted(owner, rule, added) ? [{ ...owner, rule, collection, key }] : [];
  });
}
