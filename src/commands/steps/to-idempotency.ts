import type { Actor } from '../../domain/actor.js';
import type { CommitRequest } from '../../domain/intent.js';

/** The Idempotency-Key of a request, and a SHA-256 of all that the request asks for, in hexadecimal. */
export interface Idempotency {
  key: string;
  fingerprint: string;
}

/** Keys belong to the principal that sent them. */
export function toIdempotency(
  actor: Actor,
  idempotency: Idempotency | undefined,
): CommitRequest['idempotency'] {
  if (idempotency === undefined) return null;
  return {
    principal: actor.name,
    key: idempotency.key,
    fingerprint: Buffer.from(idempotency.fingerprint, 'hex'),
  };
}
