import type { Actor } from '../domain/actor.js';
import { DiptychError } from '../domain/errors.js';
import type { Failure } from '../domain/failure.js';
import type { ChangeIntent, Edit } from '../domain/intent.js';
import type { Committed } from '../domain/outcome.js';
import { toContent } from '../domain/stage.js';
import type { Context } from './context.js';
import { type Idempotency, toIdempotency } from './steps/to-idempotency.js';

export type ChangeRequest = { collection: string; key: string; ifVersion?: number | undefined } & Edit;

export interface CommitChangesInput {
  changes: ChangeRequest[];
  message?: string | undefined;
  /** Runs the same code and writes nothing. */
  dryRun: boolean;
  actor: Actor;
  idempotency?: Idempotency | undefined;
}

/** Stages, validates and commits many changes in one revision: all, or none. */
export async function commitChanges(context: Context, input: CommitChangesInput): Promise<Committed> {
  const { changes, message, dryRun, actor } = input;
  requireDistinct(changes);
  return await context.commits.submit({
    kind: 'commit',
    author: actor.name,
    message: message ?? null,
    dryRun,
    reverts: null,
    idempotency: toIdempotency(actor, input.idempotency),
    intents: toIntents(context, changes),
  });
}

/** How long contents are reckoned before the commit waits for its turn, in milliseconds; the rest comes later. */
const aheadMs = 10;

/** What a commit stores is reckoned before it waits for its turn, as far as that takes no long time: nobody waits then. */
function toIntents({ limits }: Context, changes: ChangeRequest[]): ChangeIntent[] {
  const { maxRecordBytes } = limits;
  const until = performance.now() + aheadMs;
  return changes.map((change, index) => {
    const pointer = `/changes/${index}`;
    // The spread stands last: members that follow one are added one by one, which is slow.
    const intent: ChangeIntent = { type: 'change', pointer, ...change };
    if (intent.operation !== 'put' || performance.now() > until) return intent;
    try {
      intent.content = toContent(intent.data, { maxRecordBytes, pointer: `${pointer}/data` });
    } catch (error) {
      // Refused in its turn, beside everything else that stands against the commit.
      if (!(error instanceof DiptychError)) throw error;
    }
    return intent;
  });
}

/** A record changes at most once in a commit. */
function requireDistinct(changes: ChangeRequest[]): void {
  if (changes.length < 2) return;
  const first = new Map<string, number>();
  const errors: Failure[] = [];
  for (const [index, { collection, key }] of changes.entries()) {
    const name = `${collection} ${key}`;
    const earlier = first.get(name);
    if (earlier === undefined) {
      first.set(name, index);
      continue;
    }
    const message = `names the same record as /changes/${earlier}; put both changes into one`;
    errors.push({ pointer: `/changes/${index}`, code: 'duplicate-record', message, collection, key });
  }
  if (errors.length > 0)
    throw new DiptychError('invalid-request', 'A commit changes each record at most once.', { errors });
}
