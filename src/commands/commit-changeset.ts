import type { Actor } from '../domain/actor.js';
import type { Committed } from '../domain/outcome.js';
import type { Precondition } from '../domain/precondition.js';
import { parseChangesetReceipt } from '../domain/receipt.js';
import type { Context } from './context.js';
import { prepareChangeset } from './steps/prepare-changeset.js';
import { requireChangesetTag } from './steps/require-changeset-tag.js';
import { type Idempotency, toIdempotency } from './steps/to-idempotency.js';

export interface CommitChangesetInput {
  id: string;
  precondition: Precondition;
  receipt?: string | undefined;
  message?: string | undefined;
  actor: Actor;
  idempotency?: Idempotency | undefined;
}

/** Makes all members of a changeset current, in one revision, or none. */
export async function commitChangeset(context: Context, input: CommitChangesetInput): Promise<Committed> {
  const { id, precondition, actor } = input;
  if (precondition.ifMatch === undefined && input.receipt === undefined)
    throw await requireChangesetTag(context.db, id);
  const seen = {
    ...(precondition.ifMatch ? { ifMatch: precondition.ifMatch } : {}),
    ...(input.receipt === undefined ? {} : { receipt: parseChangesetReceipt(input.receipt) }),
  };
  const request = {
    kind: 'commit' as const,
    author: actor.name,
    message: input.message ?? null,
    dryRun: false,
    intents: [],
    reverts: null,
    idempotency: toIdempotency(actor, input.idempotency),
  };
  return await context.commits.submitPrepared(request, async () => {
    const prepared = await prepareChangeset(context, id, seen);
    return input.message === undefined ? prepared : { ...prepared, message: input.message };
  });
}
