import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
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
 * Lets a stop close the connections that are idle, and each other as soon as its answer is out. Node by itself takes a
 * connection for idle once its answer has been handed over, though most of it may still lie in a buffer, and cuts it
 * off; one that has never sent anything it does not take for idle, and one that becomes idle later stays open until its
 * keep-alive runs out.
 */
export function closeConnectionsWhenDraining(server: Server, drain: Drain): void {
  /** By connection, how many of its requests are not answered to the last byte. */
  const open = new Map<Socket, number>();
  server.on('connection', (socket: Socket) => {
    open.set(socket, 0);
    socket.once('close', () => open.delete(socket));
  });
  const count = (socket: Socket, by: 1 | -1) => {
    const requests = open.get(socket);
    if (requests !== undefined) open.set(socket, requests + by);
  };
  server.on('request', ({ socket }, response) => {
    count(socket, 1);
    // Comes when the operating system has all of the answer.
    response.once('close', () => {
      count(socket, -1);
      if (drain.draining) {
        setImmediate(() => server.closeIdleConnections());
      }
    });
  });
  // Called by Fastify and by Node when the server is closed.
  server.closeIdleConnections = () => {
    for (const [socket, requests] of open) {
      if (requests === 0) socket.destroy();
    }
  };
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
