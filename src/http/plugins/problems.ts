import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DiptychError } from '../../domain/errors.js';
import { invalidRequest, PROBLEM_TYPE, problemHeaders, toProblem } from '../problem.js';
import { acceptHeader, unsupportedMediaType } from './bodies.js';
import { commonHeaders } from './headers.js';

/** Answers a refusal. Also used where Fastify has no route yet, hence the common headers once more. */
export function sendProblem(error: DiptychError, request: FastifyRequest, reply: FastifyReply): void {
  const problem = toProblem(error, request.id);
  // A tag, a cursor or a location that a handler had set before it failed would belong to another answer.
  for (const name of ['etag', 'link', 'location', 'cache-control']) {
    reply.removeHeader(name);
  }
  if (!reply.hasHeader('content-security-policy')) {
    reply.headers(commonHeaders(request.id));
  }
  if (error.code === 'unsupported-media-type') {
    reply.headers(acceptHeader(request));
  }
  if (error.code === 'request-timeout') {
    reply.header('Connection', 'close');
  }
  request.refusal = error.code;
  reply
    .code(problem.status)
    .headers(problemHeaders(error))
    .type(PROBLEM_TYPE)
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problem);
}

/** Makes every error of `app` a problem document, and tells nothing of the causes of its own faults. */
export function answerProblems(app: FastifyInstance): void {
  app.decorateRequest('refusal', null);
  app.decorateRequest('failure', null);
  app.setErrorHandler((error, request, reply) => handleError(error, request, reply));
}

/** The form that Fastify wants for what fails before there is a route, such as broken percent-encoding. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const refusal =
    error instanceof DiptychError ? error : (refusalOfFastify(error, request) ?? internalError());
  if (refusal.code === 'internal-error' || refusal.code === 'not-ready') {
    request.failure = error;
  }
  sendProblem(refusal, request, reply);
}

function internalError(): DiptychError {
  return new DiptychError('internal-error', 'Something went wrong here; the log knows it by the request id.');
}

/** What Fastify refuses by itself, in our words. */
function refusalOfFastify(error: unknown, request: FastifyRequest): DiptychError | null {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'FST_ERR_BAD_URL': {
      const message = 'Percent-encoding in the path must be complete and make valid UTF-8.';
      return invalidRequest([{ pointer: '', code: 'encoding', message, in: 'path' }]);
    }
    case 'FST_ERR_MAX_PARAM_LENGTH': {
      const message = 'A name in the path is longer than any can be.';
      return invalidRequest([{ pointer: '', code: 'out-of-range', message, in: 'path' }]);
    }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return unsupportedMediaType(request);
    case 'ECONNRESET':
      return new DiptychError('request-timeout', 'The connection ended before the request was complete.');
    default:
      return null;
  }
}

/** Answers what is no HTTP request at all, straight on the socket. */
export function answerClientError(
  this: FastifyInstance,
  error: Error & { code?: string },
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const requestId = randomUUID();
  const refusal = refusalOfParser(error.code);
  const problem = toProblem(refusal, requestId);
  const body = JSON.stringify(problem);
  const headers = {
    ...commonHeaders(requestId),
    ...problemHeaders(refusal),
    'Content-Type': PROBLEM_TYPE,
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  this.log.info({ requestId, status: problem.status, code: problem.code }, 'unreadable request');
  socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${lines.join('')}\r\n${body}`);
}

function refusalOfParser(code: string | undefined): DiptychError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new DiptychError('headers-too-large', 'The URL and headers are larger than this service takes.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new DiptychError('request-timeout', 'The request was not complete within a minute.');
    default:
      return new DiptychError('invalid-request', 'This is not a well-formed HTTP/1.1 request.');
  }
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The code that the request was refused with, for its log line. */
    refusal: string | null;
    /** What made the service fail, for its log line. */
    failure: unknown;
  }
  interface FastifyContextConfig {
    /** The operationId of the route. */
    operation?: string;
  }
}
