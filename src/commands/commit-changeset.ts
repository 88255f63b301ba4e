import type { Actor } from '../domain/actor.js';
import type { CommitRequest } from '../domain/intent.js';
import type { Committed } from '../domain/outcome.js';
import type { Precondition } from '../domain/precondition.js';
import { parseChangesetReceipt } from '../domain/receipt.js';
import { withSnapshot } from '../store/db.js';
import type { Context } from './context.js';
import { readChangeset } from './steps/prepare-changeset.js';
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
  const prepare = async (): Promise<Partial<CommitRequest>> => {
    const { stored, prepared } = await withSnapshot(context.db, (snapshot) =>
      readChangeset(snapshot, context, id),
    );
    return {
      message: input.message ?? stored.message ?? stored.title,
      prepared: { ...prepared, changeset: { ...prepared.changeset, seen } },
    };
  };
  return await context.commits.submitPrepared(request, prepare);
}
