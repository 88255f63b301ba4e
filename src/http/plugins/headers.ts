import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { invalidRequest } from '../problem.js';

/** Nothing that the API answers is a page: no browser may run or frame it. */
const API_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** The id of a request: the caller's `X-Request-Id` when it is harmless, else a new UUID. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9._~-]{8,128}$/.test(given) ? given : randomUUID();
}

/** What every answer carries, whatever it is about. In small letters, as Fastify keeps names: it copies all others. */
export function commonHeaders(requestId: string): Record<string, string> {
  return {
    'x-request-id': requestId,
    'x-content-type-options': 'nosniff',
    'content-security-policy': API_POLICY,
    'referrer-policy': 'no-referrer',
  };
}

/** Puts the common headers on every answer of `app`, and refuses HTTP/1.1 without `Host` (RFC 9112). */
export function addCommonHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply: FastifyReply, done) => {
    reply.headers(commonHeaders(request.id));
    if (request.headers.host !== undefined || request.raw.httpVersion !== '1.1') {
      done();
      return;
    }
    const message = 'HTTP/1.1 requests name their host.';
    done(invalidRequest([{ pointer: '/host', code: 'required', message, in: 'header' }]));
  });
}
