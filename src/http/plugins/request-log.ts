import { type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import { DiptychError } from '../../domain/errors.js';

/**
 * One line per request, when its answer has been sent: at info, or at error with its cause when the service
 * failed. Client errors are the client's, and no reason to wake anybody.
 */
export class RequestLog extends LogController {
  constructor() {
    super({ requestIdLogLabel: 'requestId' });
  }

  override incomingRequest(): void {}

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    const cause = error ?? request.failure;
    const line = lineOf(request, reply);
    const text = `${line.method} ${line.url} ${line.status}`;
    if (reply.statusCode >= 500 || error) {
      reply.log.error({ ...line, err: cause }, text);
    } else {
      reply.log.info(line, text);
    }
  }

  /** An answer that broke off on its way: the client went, or what it was made of failed. */
  override streamError(error: Error, request: FastifyRequest, reply: FastifyReply): void {
    const line = lineOf(request, reply);
    const text = `${line.method} ${line.url} ${line.status}, not whole`;
    if ('code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE') {
      reply.log.info(line, `${text}: the client went away`);
    } else if (error instanceof DiptychError && error.code !== 'not-ready') {
      reply.log.info({ ...line, code: error.code }, `${text}: ${error.detail}`);
    } else {
      reply.log.error({ ...line, err: error }, text);
    }
  }
}

function lineOf(request: FastifyRequest, reply: FastifyReply) {
  return {
    operation: request.routeOptions?.config?.operation ?? null,
    method: request.method,
    url: request.url,
    status: reply.statusCode,
    durationMs: Math.round(reply.elapsedTime * 100) / 100,
    ...(request.refusal === null ? {} : { code: request.refusal }),
  };
}
