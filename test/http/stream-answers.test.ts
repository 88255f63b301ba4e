import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { StreamAnswers } from '../../src/http/stream-answers.js';
import { streamForms } from '../../src/http/stream-forms.js';
import { createDrain } from '../../src/lib/drain.js';

const times = { heartbeatMs: 600_000, stallMs: 60_000 };

/** More than the system holds for a connection whose other end does not read. */
const large = Buffer.alloc(64 * 1024 * 1024, 'x');

/** A reader of a stream that has one large change to tell, and nothing after it. */
async function readerOfOne() {
  vi.useFakeTimers({ toFake: ['setInterval', 'performance'] });
  const { drain, begin } = createDrain();
  const fail = (error: unknown) => {
    throw error;
  };
  const answers = new StreamAnswers({ times, drain, onFailure: fail });
  const parts = [large];
  const stream = { position: '1', take: () => parts.shift() ?? null, close: () => {} };
  let drains = 0;
  const server = createServer((_request, response) => {
    response.on('drain', () => {
      drains += 1;
    });
    const form = streamForms['application/x-ndjson'];
    answers.start({ response, headers: {}, form, open: () => stream, requestId: 'one' });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const call = get({ port: (server.address() as AddressInfo).port, agent: false });
  onTestFinished(() => {
    vi.useRealTimers();
    answers.close();
    call.destroy();
    server.close();
  });
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  return { response, drains: () => drains, queued: () => answers.queued, beginDrain: begin };
}

test('a reader that takes long for one large change, but takes of it all the time, is not cut off', async () => {
  const { response, drains } = await readerOfOne();
  let cut = false;
  response.on('error', () => {
    cut = true;
  });
  let taken = 0;
  let turns = 0;
  while (!cut && taken < large.length) {
    const before = drains();
    while (!cut && taken < large.length && drains() === before) {
      const piece: Buffer | null = response.read();
      if (piece === null) await once(response, 'readable');
      else taken += piece.length;
    }
    turns += 1;
    vi.advanceTimersByTime(times.stallMs * 0.7);
  }
  expect({ cut, taken }).toEqual({ cut: false, taken: large.length });
  // All of it together takes longer than a reader may rest.
  expect(turns).toBeGreaterThan(3);
});

test('a reader that rests within a large change is cut off', async () => {
  const { response, queued } = await readerOfOne();
  expect(queued().bytes).toBeGreaterThan(0);
  vi.advanceTimersByTime(times.stallMs * 1.2);
  const outcome = new Promise((resolve) => {
    let taken = 0;
    response.once('error', () => resolve('cut off'));
    response.on('data', (piece: Buffer) => {
      taken += piece.length;
      if (taken === large.length) resolve('whole');
    });
  });
  expect(await outcome).toBe('cut off');
});

test('an answer that ends within a large change has the rest of it, and then its last word', async () => {
  const { response, beginDrain } = await readerOfOne();
  beginDrain();
  let taken = 0;
  let last = '';
  response.on('data', (piece: Buffer) => {
    taken += piece.length;
    last = (last + piece.subarray(-100).toString()).slice(-100);
  });
  await once(response, 'end');
  expect(last).toMatch(/^x+\{"position":"1"\}\n$/);
  expect(taken).toBe(large.length + '{"position":"1"}\n'.length);
});
