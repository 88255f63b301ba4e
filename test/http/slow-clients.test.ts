import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { newChangeset, newCollection, startApi } from '../support/api.js';
import { openStream } from '../support/raw-stream.js';

const NDJSON = { 'Content-Type': 'application/x-ndjson' };
const JSON_TYPE = { 'Content-Type': 'application/json' };

const arrivalTimeoutMs = 300;
const running = await startApi({}, { arrivalTimeoutMs });
const { call } = running;
const { port } = running.app.server.address() as AddressInfo;

/** Sends a bit again and again until something comes back. */
async function trickle(stream: ReturnType<typeof openStream>, text: string): Promise<void> {
  let isAnswered = false;
  stream.answered.then(() => {
    isAnswered = true;
  });
  stream.socket.once('close', () => {
    isAnswered = true;
  });
  while (!isAnswered) {
    await stream.send(text);
    await nextTurn();
  }
}

describe('an ordinary body', () => {
  test('that does not arrive is 408', async () => {
    const stream = openStream(port, '/v1/commits', JSON_TYPE);
    await stream.send('{"changes":');
    await stream.answered;
    stream.socket.end();
    expect(await stream.answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"request-timeout"/);
  });

  test('that arrives drop by drop is 408 all the same', async () => {
    const stream = openStream(port, '/v1/commits', JSON_TYPE);
    await trickle(stream, ' ');
    stream.socket.end();
    expect(await stream.answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('of what was refused early is not read for ever', async () => {
    const stream = openStream(port, '/v1/nothing', JSON_TYPE);
    await stream.answered;
    let isClosed = false;
    stream.socket.once('close', () => {
      isClosed = true;
    });
    while (!isClosed) {
      await stream.send(' ');
      await nextTurn();
    }
    expect(await stream.answer).toMatch(/^HTTP\/1\.1 404 /);
  });

  test('that has arrived may be worked on for longer', async () => {
    const { body } = await call.get('/v1/changes?wait=1').expect(200);
    expect(body.changes).toEqual([]);
    const held = await running.db.pool.connect();
    await held.query(`BEGIN; SELECT revision FROM head FOR UPDATE`);
    const answer = call.put('/v1/collections/held').send({}).expect(201).then();
    await held.query(`SELECT pg_sleep($1)`, [(2 * arrivalTimeoutMs) / 1000]);
    await held.query('ROLLBACK');
    held.release();
    await answer;
  });
});

describe('a stream of lines', () => {
  async function open() {
    const collection = await newCollection(call);
    const changeset = await newChangeset(call);
    const line = (key: string) =>
      `${JSON.stringify({ collection: collection.name, key, operation: 'put', data: {} })}\n`;
    return { changeset, line, stream: openStream(port, `${changeset.path}/stage`, NDJSON) };
  }

  test('may take longer than any ordinary body, as long as it makes progress', async () => {
    const { line, stream } = await open();
    const startedAt = performance.now();
    let count = 0;
    while (performance.now() - startedAt < 3 * arrivalTimeoutMs) {
      count += 1;
      await stream.send(line(`k${count}`));
      await nextTurn();
    }
    stream.finish();
    await stream.answered;
    stream.socket.end();
    const answer = await stream.answer;
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain(`"staged":${count},"unchanged":0,"failed":0`);
  });

  test('that falls silent is 408 with the counts so far, and its connection is closed', async () => {
    const { changeset, line, stream } = await open();
    const lines = Array.from({ length: 501 }, (_, index) => line(`k${index}`));
    await stream.send(lines.join(''));
    const answer = await stream.answer;
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"request-timeout"');
    expect(answer).toContain('"staged":500');
    expect(answer.toLowerCase()).toContain('connection: close');
    const { body } = await call.get(changeset.path).expect(200);
    expect(body.memberCount).toBe(500);
  });

  test('that was refused is read on for a while only', async () => {
    const stream = openStream(port, '/v1/changesets/00000000-0000-4000-8000-000000000000/stage', NDJSON);
    await stream.answered;
    let isClosed = false;
    stream.socket.once('close', () => {
      isClosed = true;
    });
    while (!isClosed) {
      await stream.send('{}\n');
      await nextTurn();
    }
    expect(await stream.answer).toMatch(/^HTTP\/1\.1 404 /);
  });
});

test('headers that do not arrive are the matter of the server itself', () => {
  expect(running.app.server).toMatchObject({ requestTimeout: 0, headersTimeout: 60_000 });
});
