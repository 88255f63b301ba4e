import { type FastifyReply, type FastifyRequest, LogController } from 'fastify';

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
    const line = {
      operation: request.routeOptions?.config?.operation ?? null,
      method: request.method,
      url: request.url,
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 100) / 100,
      ...(request.refusal === null ? {} : { code: request.refusal }),
    };
    const text = `${line.method} ${line.url} ${line.status}`;
    if (reply.statusCode >= 500 || error) {
      reply.log.error({ ...line, err: cause }, text);
    } else {
      reply.log.info(line, text);
    }
  }
}
