import type { FastifyInstance, FastifyReply } from 'fastify';
import { DiptychError } from '../../domain/errors.js';
import { Deadlines } from '../deadlines.js';

/**
 * Answers 503 to whoever has waited longer than `timeoutMs` for an answer to begin. Fastify's own `handlerTimeout`
 * sets a timer and makes an abort signal for each request.
 */
export function limitDuration(app: FastifyInstance, timeoutMs: number): void {
  const answers = new Deadlines<FastifyReply>({ timeoutMs, isOver, end });
  app.addHook('onRequest', (_request, reply, done) => {
    answers.begin(reply);
    done();
  });
  app.addHook('onResponse', (_request, reply, done) => {
    answers.settle(reply);
    done();
  });
}

// What is on its way, or comes as a stream, takes as long as the client does; other bounds end what stands still.
function isOver(reply: FastifyReply): boolean {
  return (
    reply.sent ||
    reply.raw.headersSent ||
    reply.raw.destroyed ||
    reply.request.routeOptions.config?.streamed === true
  );
}

function end(reply: FastifyReply): void {
  reply.send(
    new DiptychError('not-ready', 'The answer took too long; whether a write took effect is open.', {
      retryAfterSeconds: 1,
    }),
  );
}
