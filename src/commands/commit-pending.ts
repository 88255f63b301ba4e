import type { Actor } from '../domain/actor.js';
import { DiptychError } from '../domain/errors.js';
import type { Committed } from '../domain/outcome.js';
import type { Precondition } from '../domain/precondition.js';
import { parseReceipt } from '../domain/receipt.js';
import type { Context } from './context.js';
import type { PendingAddress } from './steps/lock-pending.js';
import { requirePendingTag } from './steps/require-pending-tag.js';
import { type Idempotency, toIdempotency } from './steps/to-idempotency.js';

export interface CommitPendingInput extends PendingAddress {
  precondition: Precondition;
  receipt?: string | undefined;
  message?: string | undefined;
  actor: Actor;
  idempotency?: Idempotency | undefined;
}

/** Makes the pending version the current one: validates again, and moves the pointer in the same transaction. */
export async function commitPending(context: Context, input: CommitPendingInput): Promise<Committed> {
  const { collection, key, changeset, precondition, receipt, actor } = input;
  if (changeset !== null) {
    throw new DiptychError(
      'changeset-member',
      `This pending version belongs to the changeset ${changeset}, whose members go live together.`,
    );
  }
  if (precondition.ifMatch === undefined && receipt === undefined)
    throw await requirePendingTag(context, input);
  return await context.commits.submit({
    kind: 'commit',
    author: actor.name,
    message: input.message ?? null,
    dryRun: false,
    reverts: null,
    idempotency: toIdempotency(actor, input.idempotency),
    intents: [
      {
        type: 'pending',
        collection,
        key,
        changeset,
        ...(precondition.ifMatch ? { ifMatch: precondition.ifMatch } : {}),
        ...(receipt === undefined ? {} : { receipt: parseReceipt(receipt) }),
      },
    ],
  });
}
