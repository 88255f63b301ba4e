import type { Actor } from '../domain/actor.js';
import { DiptychError } from '../domain/errors.js';
import type { Edit } from '../domain/intent.js';
import type { Committed } from '../domain/outcome.js';
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
    intents: changes.map(({ ifVersion, ...change }, index) => ({
      type: 'change',
      pointer: `/changes/${index}`,
      ...(ifVersion === undefined ? {} : { ifVersion }),
      ...change,
    })),
  });
}

/** A record changes at most once in a commit. */
function requireDistinct(changes: ChangeRequest[]): void {
  const first = new Map<string, number>();
  const errors = changes.flatMap(({ collection, key }, index) => {
    const name = `${collection} ${key}`;
    const earlier = first.get(name);
    if (earlier === undefined) first.set(name, index);
    if (earlier === undefined) return [];
    const message = `names the same record as /changes/${earlier}; put both changes into one`;
    return [{ pointer: `/changes/${index}`, code: 'duplicate-record', message, collection, key }];
  });
  if (errors.length > 0)
    throw new DiptychError('invalid-request', 'A commit changes each record at most once.', { errors });
}
