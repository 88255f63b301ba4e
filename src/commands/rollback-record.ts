import type { Actor } from '../domain/actor.js';
import type { Committed } from '../domain/outcome.js';
import type { Precondition } from '../domain/precondition.js';
import { requireAdminToForce } from '../domain/refusals.js';
import type { Context } from './context.js';
import { type Idempotency, toIdempotency } from './steps/to-idempotency.js';

export interface RollbackRecordInput {
  collection: string;
  key: string;
  toVersion: number;
  message?: string | undefined;
  /** Past today's schema and rules; needs the permission `admin`. */
  force: boolean;
  precondition: Precondition;
  actor: Actor;
  idempotency?: Idempotency | undefined;
}

/** Moves the pointer back to a committed version, in a new revision. A deleted record comes back by it. */
export async function rollbackRecord(context: Context, input: RollbackRecordInput): Promise<Committed> {
  const { collection, key, toVersion, force, precondition, actor } = input;
  if (force) requireAdminToForce(actor, 'A rollback');
  return await context.commits.submit({
    kind: 'rollback',
    author: actor.name,
    message: input.message ?? null,
    dryRun: false,
    reverts: null,
    idempotency: toIdempotency(actor, input.idempotency),
    intents: [
      {
        type: 'rollback',
        collection,
        key,
        toVersion,
        force,
        ...(precondition.ifMatch ? { ifMatch: precondition.ifMatch } : {}),
      },
    ],
  });
}
