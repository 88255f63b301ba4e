import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OfflineApp, offlineApp } from './offline-app.js';

let offline: OfflineApp;
let port: number;

beforeAll(async () => {
  offline = await offlineApp();
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
