import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';

/** A header as it is sent. */
export type Header = [name: string, value: string];

/** Waits for the configuration, builds the app, listens on a free port, and tells the parent where. */
export function serve<Config>(build: (app: FastifyInstance, config: Config) => void | Promise<void>): void {
  process.once('message', async (config) => {
    const app = Fastify({ routerOptions: { maxParamLength: 4096 } });
    await build(app, config as Config);
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    process.send?.(url);
  });
  // Whoever started this is gone.
  process.once('disconnect', () => process.exit(0));
}

/** The same headers as the service sends. */
export function sendWith(
  reply: FastifyReply,
  headers: readonly Header[],
  body: string | Buffer,
): FastifyReply {
  for (const [name, value] of headers) {
    reply.header(name, value);
  }
  return reply.send(body);
}
