import { connect } from 'node:net';

export interface RawAnswer {
  status: number;
  headers: Record<string, string | undefined>;
  text: string;
}

/** Bytes for the wire, as they are: no client in between puts anything right. */
export interface RawRequest {
  method: string;
  target: string;
  headers: [string, string][];
  body: Buffer | null;
}

/** Sends one request over a connection of its own and reads the answer to its end. */
export function sendRaw(port: number, { method, target, headers, body }: RawRequest): Promise<RawAnswer> {
  const own = headers.some(([name]) => name.toLowerCase() === 'content-length');
  const length: [string, string][] = body === null || own ? [] : [['Content-Length', String(body.length)]];
  const lines = [...headers, ...length, ['Host', 'localhost'], ['Connection', 'close']].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', (error) =>
      chunks.length > 0 ? resolve(parse(Buffer.concat(chunks))) : reject(error),
    );
    socket.on('close', () =>
      chunks.length > 0
        ? resolve(parse(Buffer.concat(chunks)))
        : reject(new Error('closed without an answer')),
    );
    socket.write(
      Buffer.concat([
        Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'),
        body ?? Buffer.alloc(0),
      ]),
    );
  });
}

function parse(bytes: Buffer): RawAnswer {
  const end = bytes.indexOf('\r\n\r\n');
  const [status = '', ...fields] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    fields.map((field) => [
      field.slice(0, field.indexOf(':')).toLowerCase(),
      field.slice(field.indexOf(':') + 1).trim(),
    ]),
  );
  const body = bytes.subarray(end + 4).toString();
  const chunked = headers['transfer-encoding'] === 'chunked';
  return { status: Number(status.split(' ')[1]), headers, text: chunked ? unchunk(body) : body };
}

function unchunk(text: string): string {
  let result = '';
  for (let rest = Buffer.from(text); ; ) {
    const line = rest.indexOf('\r\n');
    const length = Number.parseInt(rest.subarray(0, line).toString(), 16);
    if (!(length > 0)) return result;
    result += rest.subarray(line + 2, line + 2 + length).toString();
    rest = rest.subarray(line + 4 + length);
  }
}
