import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { newChangeset, newCollection, type RunningApi, startApi } from '../support/api.js';

const NDJSON = 'application/x-ndjson';

let running: RunningApi;
let call: RunningApi['call'];
let list: string;
let name: string;
let first: number;

beforeAll(async () => {
  running = await startApi();
  ({ call } = running);
  const collection = await newCollection(call);
  list = `${collection.path}/records`;
  name = collection.name;
  await collection.commit('b', { price: 2 });
  await collection.commit('a/1', { price: 1, text: 'ü\n"' });
  first = await collection.commit('gone', {});
  await collection.remove('gone');
  await collection.stage('pending', { price: 3 });
});

const exported = (path: string) => call.get(path).set('Accept', NDJSON).buffer(true);
const linesOf = (text: string) => {
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
};

describe('200', () => {
  test('is a line for each live record, by key, as staging takes it', async () => {
    const { text, headers } = await exported(list).expect(200);
    expect(linesOf(text)).toEqual([
      { collection: name, key: 'a/1', operation: 'put', data: { price: 1, text: 'ü\n"' } },
      { collection: name, key: 'b', operation: 'put', data: { price: 2 } },
    ]);
    expect(headers['content-type']).toBe(NDJSON);
    expect(headers['diptych-revision']).toMatch(/^\d+$/);
    expect(headers.vary).toBe('Accept');
  });

  test.each([
    ['keyPrefix=a', ['a/1']],
    ['filter[price][gte]=2', ['b']],
    ['filter[price][gte]=9', []],
    ['sort=-price', ['b', 'a/1']],
  ])('%s', async (query, expected) => {
    const { text } = await exported(`${list}?${query}`).expect(200);
    expect(linesOf(text).map(({ key }) => key)).toEqual(expected);
  });

  test('as it was at a revision', async () => {
    const { text, headers } = await exported(`${list}?revision=${first}`).expect(200);
    expect(linesOf(text).map(({ key }) => key)).toEqual(['a/1', 'b', 'gone']);
    expect(headers['diptych-revision']).toBe(String(first));
  });

  test('with a changeset laid over it', async () => {
    const { id } = await newChangeset(call);
    for (const [key, body] of [
      ['b', { operation: 'delete' }],
      ['c', { data: {} }],
    ] as const) {
      await call.put(`${list}/${key}/pending?changeset=${id}`).send(body).expect(201);
    }
    const { text } = await exported(`${list}?changeset=${id}`).expect(200);
    expect(linesOf(text).map(({ key }) => key)).toEqual(['a/1', 'c']);
  });

  test('HEAD has the headers and no body', async () => {
    const { headers } = await exported(list).expect(200);
    const head = await call.head(list).set('Accept', NDJSON).expect(200);
    for (const header of ['etag', 'diptych-revision', 'content-type', 'vary']) {
      expect(head.headers[header]).toBe(headers[header]);
    }
  });

  test('JSON for who takes anything', async () => {
    const { body, headers } = await call.get(list).set('Accept', '*/*').expect(200);
    expect(body.items).toHaveLength(2);
    expect(headers.vary).toBe('Accept');
  });
});

test('304 until something is committed', async () => {
  const { headers } = await exported(list).expect(200);
  await exported(list)
    .set('If-None-Match', headers.etag ?? '')
    .expect(304);
  await call
    .get(list)
    .set('If-None-Match', headers.etag ?? '')
    .expect(200);
});

describe('refusals', () => {
  test('400 with what makes a part of it', async () => {
    const { body } = await exported(`${list}?limit=1&cursor=x&fields=price`).expect(400);
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '/limit',
      '/cursor',
      '/fields',
    ]);
  });

  test('404, 409 and 412 before the first line', async () => {
    const missing = await exported('/v1/collections/missing/records').expect(404);
    expect(missing.body.code).toBe('collection-not-found');
    await exported(`${list}?revision=99999999`).expect(404);
    await exported(`${list}?changeset=${randomUUID()}`).expect(404);
    await exported(list).set('If-Match', '"other"').expect(412);
  });
});

describe('an export of many parts', () => {
  const partCount = 30;
  let large: string;
  beforeAll(async () => {
    const collection = await newCollection(call);
    large = `${collection.path}/records`;
    // Each is a part of its own.
    for (let index = 0; index < partCount; index += 1) {
      await collection.commit(`k${String(index).padStart(3, '0')}`, { text: 'x'.repeat(1024 * 1024 - 100) });
    }
  });

  /** Counts the parts that are read, and does something before each. */
  function countParts(before: (count: number) => void | Promise<void> = () => {}): () => number {
    const { db } = running;
    const { query, queryOnce } = db;
    let count = 0;
    const counted =
      (run: typeof query): typeof query =>
      async (text, values) => {
        if (text.includes('bytes_before')) {
          count += 1;
          await before(count);
        }
        return await run(text, values);
      };
    Object.assign(db, { query: counted(query), queryOnce: counted(queryOnce) });
    return () => {
      Object.assign(db, { query, queryOnce });
      return count;
    };
  }

  async function open(): Promise<IncomingMessage> {
    const { port } = running.app.server.address() as AddressInfo;
    const request = get({ port, host: '127.0.0.1', path: large, headers: { Accept: NDJSON }, agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  }

  test('is whole', async () => {
    let length = 0;
    for await (const chunk of await open()) length += (chunk as Buffer).length;
    expect(length).toBeGreaterThan(partCount * (1024 * 1024 - 100));
  });

  test('is read no further than its client reads, and no more once the client is gone', async () => {
    const parts = countParts();
    const closed = new Promise<void>((resolve) => {
      running.app.server.once('request', (_, response) => response.once('close', resolve));
    });
    const response = await open();
    await once(response, 'readable');
    response.destroy();
    await closed;
    const read = parts();
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(partCount);
  });

  test('that fails on its way breaks the connection, and never looks whole', async () => {
    const parts = countParts((count) => {
      if (count === 3) throw new Error('the disk is on fire');
    });
    const response = await open();
    expect(response.statusCode).toBe(200);
    await expect(
      (async () => {
        for await (const _ of response);
      })(),
    ).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(parts()).toBe(3);
    expect(response.complete).toBe(false);
  });
});
