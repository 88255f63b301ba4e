import type { Actor } from '../domain/actor.js';
import { DiptychError } from '../domain/errors.js';
import type { Committed } from '../domain/outcome.js';
import type { Precondition } from '../domain/precondition.js';
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
  if (force && !actor.admin) {
    throw new DiptychError(
      'permission-required',
      'A rollback past the rules (`force`) needs the permission `admin`.',
      {
        extensions: { permission: 'admin' },
      },
    );
  }
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
