import type { Actor } from '../domain/actor.js';
import type { CollectionView, Definition } from '../domain/collection.js';
import { toCollectionView } from '../domain/collection-view.js';
import { type ConstraintChange, compareConstraints } from '../domain/definition/constraint-change.js';
import { findLoosened } from '../domain/definition/loosened.js';
import { checkPrecondition, collectionTag, matchesDefinitionTag } from '../domain/entity-tag.js';
import { DiptychError } from '../domain/errors.js';
import type { Precondition } from '../domain/precondition.js';
import { canonicalJson } from '../lib/canonical-json.js';
import { sha256 } from '../lib/digest.js';
import type { JsonObject } from '../lib/json-value.js';
import { haveManyChanged } from '../store/assessed-content.js';
import {
  createAssessment,
  deleteConstraints,
  measureAssessment,
  writeAssessed,
} from '../store/assessments.js';
import {
  type CollectionRow,
  countLiveRecords,
  findCollection,
  hasLiveRecords,
  insertDefinition,
  lockCollectionName,
} from '../store/collections.js';
import {
  type Executor,
  type Session,
  type Tx,
  withSession,
  withSnapshot,
  withTransaction,
} from '../store/db.js';
import { findHead, lockHead } from '../store/head.js';
import { findListIndexes } from '../store/list-indexes.js';
import type { Context } from './context.js';
import { appendDefinitionCommit } from './steps/append-definition.js';
import { assessChanged, assessLive, assessmentWork, type Subject } from './steps/assess-definition.js';
import { compileOrRefuse, requireReferencedCollections } from './steps/check-definition.js';
import { explainLiveImpact } from './steps/explain-impact.js';
import { JudgePace } from './steps/judge-pace.js';

/** How often judging starts anew because another definition came into force meanwhile. */
const maxAttempts = 5;
/** How many records may be left to be judged again while commits wait, and how often that is tried. */
const fewRecords = 100;
const maxCatchUps = 5;

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

type Prepared = PutCollectionInput & {
  content: string;
  digest: Buffer;
  compiled: Subject['compiled'];
  pace: JudgePace;
};

/**
 * Creates a collection, or puts a new definition in force; refused while live records would break it. They are
 * judged on a snapshot, beside all that goes on; while commits wait, only what has changed since is judged again.
 */
export async function putCollection(
  context: Context,
  input: PutCollectionInput,
): Promise<PutCollectionAnswer> {
  const compiled = compileOrRefuse(input.definition);
  const content = canonicalJson(input.definition as JsonObject);
  const pace = new JudgePace(assessmentWork);
  const prepared: Prepared = { ...input, compiled, content, digest: sha256(content), pace };
  for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
    const answer = await attemptPut(context, prepared);
    if (answer !== 'moved') return answer;
  }
  throw new DiptychError('not-ready', 'Other definitions of the collection come into force all the time.', {
    retryAfterSeconds: 1,
  });
}

async function attemptPut(context: Context, input: Prepared): Promise<PutCollectionAnswer | 'moved'> {
  const seen = await withSnapshot(context.db, (snapshot) => survey(snapshot, input));
  if (seen.unchanged) return seen.unchanged;
  if (!seen.hasLive) return await withTransaction(context.db, (tx) => put(tx, input, seen, null));
  return await context.longWork.run(() => withSession(context.db, (session) => putAssessed(session, input)));
}

interface Seen {
  existing: CollectionRow | null;
  hasLive: boolean;
  change: ConstraintChange;
  /** The answer, when the definition is in force already. */
  unchanged: PutCollectionAnswer | null;
}

/** Looks at what there is; refuses what can be refused at once. */
async function survey(executor: Executor, input: Prepared): Promise<Seen & { revision: number }> {
  const { revision } = await findHead(executor);
  const existing = await findCollection(executor, input.collection);
  const isSame = existing !== null && existing.definitionContent === input.content;
  const present = existing && tagOf(existing);
  checkPrecondition(input.precondition, present, {
    what: 'collection',
    required: !isSame,
    matches: matchesDefinitionTag,
  });
  requireMayLoosen(existing, input);
  await requireReferencedCollections(executor, input);
  return {
    revision,
    existing,
    hasLive: existing !== null && (await hasLiveRecords(executor, existing.id)),
    change: compareConstraints(existing && JSON.parse(existing.definitionContent), input.definition),
    unchanged: isSame
      ? { created: false, unchanged: true, ...(await viewOf(executor, existing)), revision }
      : null,
  };
}

/** @throws DiptychError `permission-required` for asking fewer people, or for another retention, as anybody */
function requireMayLoosen(existing: CollectionRow | null, { definition, actor }: Prepared): void {
  if (existing === null || actor.admin) return;
  const loosened = findLoosened(JSON.parse(existing.definitionContent), definition);
  if (loosened.length === 0) return;
  throw new DiptychError(
    'permission-required',
    'This definition takes protection away, which needs `admin`.',
    {
      extensions: { permission: 'admin' },
      errors: loosened.map((pointer) => ({
        pointer,
        code: 'permission-required',
        message: 'may be loosened by an admin only',
      })),
    },
  );
}

const tagOf = ({ definitionNumber, definitionDigest }: CollectionRow) =>
  collectionTag({ number: definitionNumber, digest: definitionDigest.toString('hex') });

async function putAssessed(session: Session, input: Prepared): Promise<PutCollectionAnswer | 'moved'> {
  await createAssessment(session);
  const assessed = await session.snapshot(async (snapshot) => {
    const seen = await survey(snapshot, input);
    if (seen.unchanged || seen.existing === null) return { ...seen, subject: null };
    const subject = { ...input, collectionId: seen.existing.id, change: seen.change };
    await assessLive(snapshot, subject);
    await measureAssessment(snapshot);
    await refuseWhereBroken(snapshot, subject);
    return { ...seen, subject };
  });
  const { subject } = assessed;
  if (assessed.unchanged) return assessed.unchanged;
  if (subject === null) return 'moved';

  let judgedUpTo = assessed.revision;
  for (let round = 0; round < maxCatchUps; round += 1) {
    const upTo = await session.snapshot(async (snapshot) => {
      const since = { collectionId: subject.collectionId, revision: judgedUpTo, limit: fewRecords };
      if (!(await haveManyChanged(snapshot, since))) return null;
      await assessChanged(snapshot, subject, judgedUpTo);
      return (await findHead(snapshot)).revision;
    });
    if (upTo === null) break;
    judgedUpTo = upTo;
  }
  return await session.transaction((tx) => put(tx, input, assessed, { subject, judgedUpTo }));
}

/** Puts the definition in force, under the lock that commits wait for. */
async function put(
  tx: Tx,
  input: Prepared,
  seen: Seen,
  assessed: { subject: Subject; judgedUpTo: number } | null,
): Promise<PutCollectionAnswer | 'moved'> {
  const head = await lockHead(tx);
  const { id, lastNumber } = await lockCollectionName(tx, input.collection);
  const present = await survey(tx, input);
  if (present.unchanged) return present.unchanged;
  if (present.existing?.definitionId !== seen.existing?.definitionId) return 'moved';
  if (assessed === null && present.hasLive) return 'moved';
  if (assessed !== null) {
    await assessChanged(tx, assessed.subject, assessed.judgedUpTo);
    // Not only what has changed: a record that others refer to may have been deleted.
    await refuseWhereBroken(tx, assessed.subject);
  }
  const number = lastNumber + 1;
  const revision = appendDefinitionCommit(tx, head, {
    author: input.actor.name,
    definition: { collection: input.collection, number, digest: input.digest.toString('hex') },
  });
  const { content, digest } = input;
  await insertDefinition(tx, { collectionId: id, number, revision, content, digest });
  const { unique, references } = seen.change;
  await deleteConstraints(tx, { collectionId: id, unique: unique.removed, references: references.removed });
  if (assessed !== null) {
    await writeAssessed(tx, { collectionId: id, unique: unique.all, references: references.all });
  }
  const row = await findCollection(tx, input.collection);
  if (row === null) throw new Error('a collection that was just written is not there');
  return { created: seen.existing === null, unchanged: false, ...(await viewOf(tx, row)), revision };
}

const viewOf = async (executor: Executor, row: CollectionRow) =>
  toCollectionView({ ...row, indexes: await findListIndexes(executor, row.id) });

/** @throws DiptychError `definition-conflict` */
async function refuseWhereBroken(executor: Executor, subject: Subject): Promise<void> {
  const { failing, sample } = await explainLiveImpact(executor, subject);
  if (failing === 0) return;
  const checked = await countLiveRecords(executor, subject.collectionId);
  throw new DiptychError(
    'definition-conflict',
    `${failing} of ${checked} live records would break the definition.`,
    { extensions: { failing, checked, sample } },
  );
}
