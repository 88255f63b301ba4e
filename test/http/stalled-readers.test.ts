import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { newCollection, startApi } from '../support/api.js';
import { type Following, followLines } from '../support/follow.js';
import { size } from '../support/size.js';

const KIBIBYTE = 1024;

/** More than the system holds for a connection whose other end does not read. */
const enoughBytes = 12 * KIBIBYTE * KIBIBYTE;

/** What a block of the feed takes at most, with what is around it: a change of two records here is 16 KiB. */
const mostQueued = 64 * KIBIBYTE;

async function stalled(count: number, streamTimes: { heartbeatMs: number; stallMs: number }) {
  const api = await startApi({}, { streamTimes });
  const collection = await newCollection(api.call);
  const responses: ServerResponse[] = [];
  api.app.server.on('request', (request, response) => {
    if (request.headers.accept === 'application/x-ndjson') responses.push(response);
  });
  const { port } = api.app.server.address() as AddressInfo;
  const after = await collection.commit('start', {});
  const follow = () => followLines(`http://127.0.0.1:${port}/v1/changes?after=${after}`);
  const readers: Following<string>[] = await Promise.all(Array.from({ length: count }, follow));
  onTestFinished(() => {
    for (const reader of readers) reader.cut();
  });
  for (const reader of readers) reader.pause();
  /** Commits more than anybody will take who does not read, and answers how many changes these are. */
  const flood = async (eachTurn: () => void): Promise<number> => {
    const text = 'x'.repeat(8 * KIBIBYTE);
    const keys = Array.from({ length: 40 }, (_, index) => `k${index}`);
    let changes = 0;
    for (let bytes = 0; bytes < enoughBytes; bytes += 2 * keys.length * text.length) {
      const members = keys.map((key) => ({
        collection: collection.name,
        key,
        operation: 'put',
        data: { bytes, text },
      }));
      await api.call.post('/v1/commits').send({ changes: members }).expect(200);
      changes += members.length;
      eachTurn();
    }
    return changes;
  };
  return { readers, responses, flood, after, db: api.db };
}

describe('readers that stop reading', () => {
  test('leave next to nothing in the memory of the service, commits go on, and all is there when they read again', async () => {
    const { readers, responses, flood, after, db } = await stalled(size(20, 100), {
      heartbeatMs: 60_000,
      stallMs: 600_000,
    });
    let most = 0;
    const changes = await flood(() => {
      most = Math.max(most, ...responses.map(({ writableLength }) => writableLength));
    });
    expect(responses).toHaveLength(readers.length);
    // All of them stand still, with a part in hand.
    for (const { writableLength } of responses) expect(writableLength).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(mostQueued);

    const [reader] = readers;
    const places: string[] = [];
    reader?.resume();
    while (places.length < changes) {
      const item = JSON.parse((await reader?.next()) ?? '{}');
      if (!('position' in item)) places.push(`${item.revision}.${item.ordinal}`);
    }
    const log = await db.query<{ place: string }>(
      `SELECT revision || '.' || ordinal AS place FROM change WHERE revision > $1 ORDER BY revision, ordinal`,
      [after],
    );
    expect(places).toEqual(log.map(({ place }) => place));
  });

  test('are cut off when they have left something unread for too long', async () => {
    const { readers, responses, flood } = await stalled(2, { heartbeatMs: 60_000, stallMs: 100 });
    const closed = responses.map((response) => new Promise((resolve) => response.once('close', resolve)));
    await flood(() => {});
    await Promise.all(closed);
    const [reader] = readers;
    reader?.resume();
    await expect(
      (async () => {
        while ((await reader?.next()) !== null);
      })(),
    ).rejects.toThrow('cut off');
  });
});
