import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.js';
import type { Drain } from '../lib/drain.js';
import { StartRefusal } from '../store/start-refusal.js';

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
 * Closes each connection as soon as its request is answered, once draining has begun. Node closes those that
 * are idle at that moment; one that becomes idle later would stay open until its keep-alive runs out.
 */
export function closeConnectionsWhenDraining(server: Server, drain: Drain): void {
  server.on('request', (_request, response) => {
    response.once('close', () => {
      if (drain.draining) {
        setImmediate(() => server.closeIdleConnections());
      }
    });
  });
}

/**
 * Stops accepting and waits for the requests in flight.
 * @returns false when they had to be cut off, because `impatience` came first.
 */
export async function closeApp(app: FastifyInstance, impatience: Promise<unknown>): Promise<boolean> {
  const closed = app.close().then(() => true);
  const isDone = await Promise.race([closed, impatience.then(() => false)]);
  if (!isDone) {
    app.server.closeAllConnections();
  }
  return isDone;
}
