import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Header, sendWith, serve } from './serve.js';

// A route that does nothing but send bytes: the most that this web framework can do.

export interface BareConfig {
  routes: { path: string; headers: Header[]; body: string }[];
}

/** A short text goes out in one write together with its head; a long one need not be encoded each time. */
const LONG_CHARACTERS = 16_384;

serve<BareConfig>((app, { routes }) => {
  for (const { path, headers, body } of routes) {
    const bytes = body.length > LONG_CHARACTERS ? Buffer.from(body) : body;
    app.get(path, (request: FastifyRequest, reply: FastifyReply) => {
      if (request.headers['if-none-match'] !== undefined) {
        reply.code(304);
        return sendWith(reply, headers, '');
      }
      return sendWith(reply, headers, bytes);
    });
  }
});
