import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Actor } from '../../domain/actor.js';
import { DiptychError } from '../../domain/errors.js';

/** Who may call, and the bearer token that proves it. */
export interface Holder {
  actor: Actor;
  token: string;
}

const ANONYMOUS = 'anonymous';
const OPEN_PATHS = ['/livez', '/readyz', '/openapi.json', '/docs', '/problems'];

/**
 * Puts the caller into `request.actor`. With tokens, everything but the open paths needs one of them (RFC
 * 6750); without, everybody is an administrator by the name in `Diptych-Actor`.
 */
export function authenticate(app: FastifyInstance, holders: readonly Holder[]): void {
  const known = holders.map(({ actor, token }) => ({ actor, digest: digestOf(token) }));
  app.decorateRequest('actor');
  if (known.length === 0) {
    app.addHook('preHandler', (request, _reply, done) => {
      const name = request.given?.['diptych-actor'] ?? ANONYMOUS;
      request.actor = name === ANONYMOUS ? { name, admin: true, anonymous: true } : { name, admin: true };
      done();
    });
    return;
  }
  app.addHook('onRequest', (request, _reply, done) => {
    if (!isOpen(request)) {
      request.actor = actorOf(request, known);
    }
    done();
  });
}

// By the pattern of the route, not by the URL, which can spell one path in many ways.
function isOpen(request: FastifyRequest): boolean {
  const path = request.is404 ? request.url : (request.routeOptions.url ?? '');
  return OPEN_PATHS.some((open) => path === open || path.startsWith(`${open}/`));
}

function actorOf(request: FastifyRequest, known: readonly { actor: Actor; digest: Buffer }[]): Actor {
  const header = request.headers.authorization;
  if (header === undefined) {
    throw new DiptychError('unauthenticated', 'The request has no Authorization header.');
  }
  const [, token] = /^Bearer +([A-Za-z0-9._~+/=-]+) *$/i.exec(header) ?? [];
  if (token === undefined) {
    throw new DiptychError('unauthenticated', 'The Authorization header must be: Bearer <token>.');
  }
  const digest = digestOf(token);
  let actor: Actor | null = null;
  // All are compared, each in constant time, so that the time tells nothing of any of them.
  for (const candidate of known) {
    if (timingSafeEqual(candidate.digest, digest)) {
      actor = candidate.actor;
    }
  }
  if (actor === null) {
    throw new DiptychError('unauthenticated', 'The token is not one that this service knows.');
  }
  return actor;
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who makes the call. */
    actor: Actor;
  }
}
