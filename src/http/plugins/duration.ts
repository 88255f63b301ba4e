import type { FastifyInstance, FastifyReply } from 'fastify';
import { DiptychError } from '../../domain/errors.js';

/** How many times in `timeoutMs` it is looked whether somebody has waited for too long. */
const LOOKS = 10;

/**
 * Answers 503 to whoever has waited longer than `timeoutMs` for an answer to begin. One timer for all: Fastify's own `handlerTimeout` sets a timer and makes an abort signal for each request,
 * which costs as much as the rest of a read.
 */
export function limitDuration(app: FastifyInstance, timeoutMs: number): void {
  // In the order of their arrival.
  const underway = new Map<FastifyReply, number>();
  app.addHook('onRequest', (_request, reply, done) => {
    underway.set(reply, performance.now());
    done();
  });
  app.addHook('onResponse', (_request, reply, done) => {
    underway.delete(reply);
    done();
  });
  const timer = setInterval(() => {
    const latest = performance.now() - timeoutMs;
    for (const [reply, arrivedAt] of underway) {
      if (arrivedAt > latest) {
        return;
      }
      underway.delete(reply);
      end(reply);
    }
  }, timeoutMs / LOOKS);
  timer.unref();
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer);
    done();
  });
}

function end(reply: FastifyReply): void {
  // What is on its way, or comes as a stream, takes as long as the client does; other bounds end what stands still.
  const isStreamed = reply.request.routeOptions.config?.streamed === true;
  if (isStreamed || reply.sent || reply.raw.headersSent || reply.raw.destroyed) {
    return;
  }
  reply.send(
    new DiptychError('not-ready', 'The answer took too long; whether a write took effect is open.', {
      retryAfterSeconds: 1,
    }),
  );
}
