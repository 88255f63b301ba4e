import { catalogue, DiptychError, type ErrorCode, type ErrorKind } from '../domain/errors.js';
import type { Failure } from '../domain/failure.js';

/** The media type of every refusal (RFC 9457). */
export const PROBLEM_TYPE = 'application/problem+json';

/** The one place where a kind of refusal becomes an HTTP status. */
const statusOf = {
  malformed: 400,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'not-acceptable': 406,
  timeout: 408,
  conflict: 409,
  gone: 410,
  'precondition-failed': 412,
  'too-large': 413,
  'unsupported-media-type': 415,
  invalid: 422,
  'precondition-required': 428,
  'headers-too-large': 431,
  internal: 500,
  unavailable: 503,
} as const satisfies Record<ErrorKind, number>;

/** A problem document (RFC 9457) with the members that every answer of Diptych has. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  /** The page of the problem with the request id as its fragment: one occurrence, and it leads somewhere. */
  instance: string;
  requestId: string;
  errors: Failure[];
  [extension: string]: unknown;
}

export function statusOfCode(code: ErrorCode): number {
  return statusOf[catalogue[code].kind];
}

/** A refusal of the request's form, with every failure found. */
export function invalidRequest(failures: Failure[]): DiptychError {
  const count = failures.length === 1 ? 'One thing is' : `${failures.length} things are`;
  return new DiptychError('invalid-request', `${count} wrong with the request; see errors.`, {
    errors: failures,
  });
}

/** The body of the answer to a refusal. The document's own members win over extensions of the same name. */
export function toProblem(error: DiptychError, requestId: string): Problem {
  const { code, detail, options } = error;
  const { title } = catalogue[code];
  const problem = {
    type: `/problems/${code}`,
    title,
    status: statusOfCode(code),
    detail,
    code,
    instance: `/problems/${code}#${requestId}`,
    requestId,
    errors: options.errors ?? [],
  };
  const others = Object.entries(options.extensions ?? {}).filter(([name]) => !Object.hasOwn(problem, name));
  return { ...problem, ...Object.fromEntries(others) };
}

/** The headers that a refusal carries beside its document. */
export function problemHeaders(error: DiptychError): Record<string, string> {
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
  const { retryAfterSeconds, extensions } = error.options;
  const status = statusOfCode(error.code);
  const etag = extensions?.etag;
  if (status === 503 || retryAfterSeconds !== undefined || error.code === 'request-in-flight') {
    headers['Retry-After'] = String(retryAfterSeconds ?? 1);
  }
  if (status === 401) {
    headers['WWW-Authenticate'] = 'Bearer realm="diptych"';
  }
  if (typeof etag === 'string') {
    headers.ETag = etag;
  }
  if (error.revision !== null && status < 500) {
    headers['Diptych-Revision'] = String(error.revision);
  }
  if (error.replayed) {
    headers['Idempotency-Replayed'] = 'true';
  }
  return headers;
}
