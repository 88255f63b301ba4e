import { connect, type Socket } from 'node:net';

/** A request whose body is sent bit by bit, and whatever comes back. */
export interface RawStream {
  socket: Socket;
  /** Sends one chunk of the body; waits until the system has taken it. */
  send: (text: string) => Promise<void>;
  /** Ends the body as it should end. */
  finish: () => void;
  /** All that came back, once the other side has closed. */
  answer: Promise<string>;
  /** Waits until something has come back. */
  answered: Promise<void>;
}

/** Opens a request with a chunked body, of which nothing is sent yet. */
export function openStream(port: number, path: string, headers: Record<string, string> = {}): RawStream {
  const socket = connect(port, '127.0.0.1');
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n${lines.join('')}\r\n`,
  );
  const chunks: Buffer[] = [];
  const answered = new Promise<void>((resolve) => socket.once('data', () => resolve()));
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  // What matters is what came before it.
  socket.on('error', () => {});
  const answer = new Promise<string>((resolve) =>
    socket.once('close', () => resolve(Buffer.concat(chunks).toString())),
  );
  return {
    socket,
    answer,
    answered,
    send: (text) =>
      new Promise((resolve) => {
        socket.write(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`, () => resolve());
      }),
    finish: () => {
      socket.write('0\r\n\r\n');
    },
  };
}
