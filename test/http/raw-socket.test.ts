import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStream } from '../support/raw-stream.js';
import { type OfflineApp, offlineApp } from './offline-app.js';

const MAX_BODY_BYTES = 100_000;

let offline: OfflineApp;
let port: number;

beforeAll(async () => {
  offline = await offlineApp({ maxBodyBytes: MAX_BODY_BYTES });
  await offline.app.listen({ host: '127.0.0.1', port: 0 });
  port = (offline.app.server.address() as AddressInfo).port;
});
afterAll(() => offline.close());

/** Sends bytes as they are and answers all that comes back until the other side closes. */
function exchange(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
    socket.on('error', reject);
  });
}

function problemIn(answer: string): Record<string, unknown> {
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
  expect(head.toLowerCase()).toContain('content-type: application/problem+json');
  expect(head.toLowerCase()).toContain('x-request-id: ');
  return JSON.parse(body);
}

test('what is no HTTP is answered by a problem document', async () => {
  const answer = await exchange('HELLO\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(problemIn(answer)).toMatchObject({ status: 400, code: 'invalid-request' });
});

test('headers beyond the limit are 431', async () => {
  const answer = await exchange(`GET /livez HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 431 /);
  expect(problemIn(answer)).toMatchObject({ status: 431, code: 'headers-too-large' });
});

test('HTTP/1.1 without a host is 400', async () => {
  const answer = await exchange('GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n');
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(problemIn(answer)).toMatchObject({ errors: [{ in: 'header', pointer: '/host' }] });
});

test('two lengths are 400', async () => {
  const answer = await exchange(
    'PUT /v1/collections/a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
  );
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
});

test.each(['.', '..', '%2E', '%2e%2e', '.%2e'])(
  'the key %s, which URLs give another meaning, is 400',
  async (key) => {
    const answer = await exchange(
      `GET /v1/collections/a/records/${key} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    expect(problemIn(answer)).toMatchObject({ status: 400, errors: [{ in: 'path', pointer: '/key' }] });
  },
);

describe('a body without a length', () => {
  const JSON_TYPE = { 'Content-Type': 'application/json' };

  test('is read in whatever pieces it comes, be a character divided', async () => {
    const { socket, answer } = openStream(port, '/v1/commits', { ...JSON_TYPE, Connection: 'close' });
    const bytes = Buffer.from('{"changes":[],"é€😀":1}');
    // One after the other, so that each arrives by itself.
    for (const byte of bytes) {
      socket.write(Buffer.concat([Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]));
      await nextTurn();
    }
    socket.write('0\r\n\r\n');
    expect(problemIn(await answer).errors).toContainEqual(
      expect.objectContaining({ pointer: '/é€😀', code: 'unknown-member' }),
    );
  });

  test('is 413 as soon as it is too long, and ends the connection', async () => {
    const { send, answer } = openStream(port, '/v1/commits', JSON_TYPE);
    await send('[');
    await send(' '.repeat(MAX_BODY_BYTES));
    const text = await answer;
    expect(text.toLowerCase()).toContain('connection: close');
    expect(problemIn(text)).toMatchObject({ status: 413, code: 'body-too-large' });
  });
});
