import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.js';
import { StartRefusal } from '../store/start-refusal.js';

/** How often connections are looked at while the last requests are answered. */
const IDLE_LOOK_MS = 20;

const WAYS_OUT: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there. Stop it, or set PORT to another number (0 takes any free port)',
  EACCES: 'this user may not. Set PORT to a number above 1023',
  EADDRNOTAVAIL: 'this machine has no such address. Set HOST to one that it has',
  ENOTFOUND: 'this name has no address. Set HOST to one that it has',
};

/**
 * Opens the door.
 * @returns the base URL that a browser on this machine, or PUBLIC_URL's readers, can use.
 * @throws StartRefusal when the address cannot be listened on.
 */
export async function listen(app: FastifyInstance, config: Config): Promise<string> {
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    const way = error instanceof Error && 'code' in error ? WAYS_OUT[String(error.code)] : undefined;
    throw way === undefined
      ? error
      : new StartRefusal(`Cannot listen on ${config.host}, port ${config.port}: ${way}`, { cause: error });
  }
  return config.publicUrl ?? localUrl(app.server.address() as AddressInfo);
}

function localUrl({ address, family, port }: AddressInfo): string {
  const isWildcard = address === '0.0.0.0' || address === '::';
  const host = isWildcard ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return `http://${host}:${port}`;
}

/**
 * Stops accepting and waits for the requests in flight.
 * @returns false when they had to be cut off, because `impatience` came first.
 */
export async function closeApp(app: FastifyInstance, impatience: Promise<unknown>): Promise<boolean> {
  const closed = app.close().then(() => true);
  // Node closes what is idle when it is told to; what becomes idle later would stay open until its keep-alive runs out.
  const closing = setInterval(() => app.server.closeIdleConnections(), IDLE_LOOK_MS);
  try {
    const isDone = await Promise.race([closed, impatience.then(() => false)]);
    if (!isDone) {
      app.server.closeAllConnections();
    }
    return isDone;
  } finally {
    clearInterval(closing);
  }
}
