import type { FastifyRequest } from 'fastify';
import { DiptychError, isErrorCode } from '../domain/errors.js';
import type { Failure } from '../domain/failure.js';
import { canonicalJson } from '../lib/canonical-json.js';
import { sha256 } from '../lib/digest.js';
import { isJsonObject } from '../lib/json-object.js';
import type { JsonValue } from '../lib/json-value.js';
import type { KeptOutcome } from '../queries/find-commit-by-idempotency-key.js';
import { toProblem } from './problem.js';

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
  const fingerprint = sha256([request.method, request.url, condition, body].join('\n')).toString('hex');
  return { idempotency: { key, fingerprint } };
}

/** An answer that a request got, as status and body. */
export interface Answered {
  status: number;
  answeredAt: string;
  /** The revision that the request made; null when it made none. */
  revision: number | null;
  body: unknown;
}

/** The wire shape of a kept outcome. A refusal is told as its problem document, by the id of today's request. */
export function toAnswered({ code, answeredAt, revision, body }: KeptOutcome, requestId: string): Answered {
  if (!isErrorCode(code)) {
    return { status: 200, answeredAt, revision, body };
  }
  const { detail, errors, extensions } = isJsonObject(body) ? body : {};
  const refusal = new DiptychError(code, typeof detail === 'string' ? detail : '', {
    errors: (errors ?? []) as unknown as Failure[],
    extensions: isJsonObject(extensions) ? extensions : {},
  });
  const problem = toProblem(refusal, requestId);
  return { status: problem.status, answeredAt, revision, body: problem };
}
