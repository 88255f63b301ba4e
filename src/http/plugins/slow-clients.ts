import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DiptychError } from '../../domain/errors.js';
import { Deadlines } from '../deadlines.js';

/**
 * Ends connections whose request does not arrive: the whole body within `timeoutMs`, but for operations that
 * read theirs as a stream, which hold it to `bytesOf` themselves. Node's own `requestTimeout` knows only one
 * bound for all, and so would cut long uploads; of the headers it takes care.
 */
export function limitArrival(app: FastifyInstance, timeoutMs: number): void {
  const bodies = new Deadlines<FastifyReply>({
    timeoutMs,
    isOver: ({ raw, request }) =>
      request.raw.readableEnded || request.raw.destroyed || (!raw.writableFinished && isStreamed(request)),
    end: ({ raw, request }) => {
      const { socket } = request.raw;
      if (raw.headersSent) {
        socket.destroy();
      } else {
        app.server.emit('clientError', requestTimeout(), socket);
      }
    },
  });
  app.addHook('onRequest', ({ raw }, reply, done) => {
    if (hasBody(raw)) {
      bodies.begin(reply);
      // What GET brings along means nothing, and nobody else reads it.
      if (raw.method === 'GET' || raw.method === 'HEAD') {
        raw.resume();
      }
    }
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { raw } = request;
    if (raw.readableEnded) {
      bodies.settle(reply);
    } else if (hasBody(raw) && isStreamed(request)) {
      // What comes after an early answer is read and thrown away for a while, so that the answer is not lost.
      raw.resume();
      bodies.begin(reply);
    }
    done();
  });
}

function isStreamed(request: FastifyRequest): boolean {
  return request.routeOptions.config?.streamed === true;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** As Node says it when it is the one that waits. */
function requestTimeout(): Error {
  return Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
}

/**
 * What arrives of a body, read only when it is asked for; the request stays as it is when reading stops.
 *
 * @throws DiptychError `request-timeout` when nothing arrives for `silenceMs` while it is waited for
 */
export async function* bytesOf(
  body: Readable,
  silenceMs: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  // Not by for-await, which ends the connection where it ends.
  const chunks: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  for (;;) {
    const chunk = await within(chunks.next(), silenceMs);
    if (chunk.done === true) {
      return;
    }
    yield chunk.value;
  }
}

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const seconds = timeoutMs / 1000;
    const refusal = new DiptychError('request-timeout', `Nothing arrived for ${seconds} seconds.`);
    timer = setTimeout(() => reject(refusal), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The operation reads its body as a stream of any length. */
    streamed?: boolean;
  }
}
