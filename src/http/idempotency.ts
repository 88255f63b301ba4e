import type { FastifyRequest } from 'fastify';
import { canonicalJson, sha256Hex } from '../lib/canonical-json.js';
import type { JsonValue } from '../lib/json-value.js';

/** A key that the caller chose, and what tells another request with it from a repeat of the same. */
export interface Idempotency {
  key: string;
  /** SHA-256 of method, path and query, `If-Match` and the canonical body. */
  fingerprint: string;
}

/** The idempotency of `request`, as a member to spread into the input of a command: absent without a key. */
export function idempotencyOf(request: FastifyRequest): { idempotency?: Idempotency } {
  const key = request.given['idempotency-key'];
  if (key === undefined) {
    return {};
  }
  const condition = request.headers['if-match'] ?? '';
  const body = canonicalJson((request.body ?? null) as JsonValue);
  const fingerprint = sha256Hex([request.method, request.url, condition, body].join('\n'));
  return { idempotency: { key, fingerprint } };
}
