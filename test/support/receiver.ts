import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** One request as it arrived. */
export interface Received {
  /** From 1, in the order of arrival. */
  number: number;
  id: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What a receiver does with a request: a status, an answer of its own, or nothing at all. */
export type Reaction = (received: Received, response: ServerResponse) => number | undefined;

const take: Reaction = () => 204;

/** A receiver of webhooks on this machine; gone after the test. */
export class Receiver {
  readonly received: Received[] = [];
  /** Those that it answered with a 2xx. */
  readonly taken: Received[] = [];
  connections = 0;
  react: Reaction;
  #server = createServer();
  #port = 0;
  readonly #watchers = new Set<() => void>();

  private constructor(react: Reaction) {
    this.react = react;
  }

  static async start(react: Reaction = take): Promise<Receiver> {
    const receiver = new Receiver(react);
    await receiver.listen();
    onTestFinished(() => receiver.kill());
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`;
  }

  /** Begins to listen, or again where it did before. */
  async listen(): Promise<void> {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => this.#receive(request.headers, Buffer.concat(chunks).toString(), response));
    });
    this.#server.on('connection', () => {
      this.connections += 1;
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Breaks all connections and is gone at once, as by kill -9. */
  async kill(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Resolves as soon as it holds; asked after each request. */
  async until(holds: (receiver: Receiver) => boolean): Promise<void> {
    if (holds(this)) return;
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!holds(this)) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
    });
  }

  #receive(headers: IncomingHttpHeaders, body: string, response: ServerResponse): void {
    const number = this.received.length + 1;
    const received = { number, id: String(headers['webhook-id']), headers, body };
    this.received.push(received);
    const status = this.react(received, response);
    if (status !== undefined) response.writeHead(status).end();
    if (response.headersSent && response.statusCode < 300) this.taken.push(received);
    for (const look of [...this.#watchers]) look();
  }
}

/** The ids of events, each once, in the order of their first arrival. */
export const firstIdsOf = (received: Received[]) => [...new Set(received.map(({ id }) => id))];
