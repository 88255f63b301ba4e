import { type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { Logger } from 'pino';
import { DiptychError } from '../../domain/errors.js';

/**
 * One line per request, when its answer has been sent: at info, or at error with its cause when the service
 * failed. Client errors are the client's, and no reason to wake anybody. Reads that go well change nothing and are
 * most of what is asked: they are told of at debug.
 */
export class RequestLog extends LogController {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    super();
    this.#logger = logger;
  }

  override incomingRequest(): void {}

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const level = reply.statusCode >= 500 || error ? 'error' : isPlainRead(request, reply) ? 'debug' : 'info';
    // Before the line is made, which costs more than many a read.
    if (!this.#logger.isLevelEnabled(level)) {
      return;
    }
    const line = lineOf(request, reply);
    const text = `${line.method} ${line.url} ${line.status}`;
    if (level === 'error') {
      this.#logger.error({ ...line, err: error ?? request.failure }, text);
    } else {
      this.#logger[level](line, text);
    }
  }

  /** An answer that broke off on its way: the client went, or what it was made of failed. */
  override streamError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
    const line = lineOf(request, reply);
    const text = `${line.method} ${line.url} ${line.status}, not whole`;
    if ('code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE') {
      this.#logger.info(line, `${text}: the client went away`);
    } else if (error instanceof DiptychError && error.code !== 'not-ready') {
      this.#logger.info({ ...line, code: error.code }, `${text}: ${error.detail}`);
    } else {
      this.#logger.error({ ...line, err: error }, text);
    }
  }
}

function isPlainRead({ method }: FastifyRequest, { statusCode }: FastifyReply): boolean {
  return (method === 'GET' || method === 'HEAD') && statusCode < 400;
}

function lineOf(request: FastifyRequest, reply: FastifyReply) {
  return {
    requestId: request.id,
    operation: request.routeOptions?.config?.operation ?? null,
    method: request.method,
    url: request.url,
    status: reply.statusCode,
    durationMs: Math.round(reply.elapsedTime * 100) / 100,
    ...(request.refusal === null ? {} : { code: request.refusal }),
  };
}
