import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { newChangeset, newCollection, startApi } from '../support/api.js';
import { openStream } from '../support/raw-stream.js';

const NDJSON = 'application/x-ndjson';

const running = await startApi({ maxBodyBytes: 100_000, maxRecordBytes: 50_000 });
const { call } = running;

async function prepare() {
  const collection = await newCollection(call);
  const changeset = await newChangeset(call);
  const line = (key: string, rest: object) => JSON.stringify({ collection: collection.name, key, ...rest });
  const put = (key: string, data: object, more = {}) => line(key, { operation: 'put', data, ...more });
  const stage = (...lines: string[]) =>
    call
      .post(`${changeset.path}/stage`)
      .type(NDJSON)
      .send(lines.map((text) => `${text}\n`).join(''));
  const members = async () => {
    const { body } = await call.get(`${changeset.path}/pending`).expect(200);
    return body.items as { key: string; data: object | null; message: string | null; stagedBy: string[] }[];
  };
  return { collection, changeset, line, put, stage, members };
}

const codesOf = (body: { errors: { line: number; code: string; pointer: string }[] }) =>
  body.errors.map(({ line, code, pointer }) => [line, code, pointer]);

describe('200', () => {
  test('stages each line by its operation', async () => {
    const { collection, changeset, line, put, stage, members } = await prepare();
    for (const key of ['b', 'c', 'd']) await collection.commit(key, { n: 1, m: 1 });
    const { body, headers } = await stage(
      put('a', { n: 2 }, { message: 'New' }),
      line('b', { operation: 'merge', patch: { n: 2, m: null } }),
      line('c', { operation: 'patch', patch: [{ op: 'replace', path: '/n', value: 2 }], message: 'Changed' }),
      line('d', { operation: 'delete' }),
    )
      .set('Diptych-Actor', 'ann')
      .expect(200);
    expect(body).toEqual({ staged: 4, unchanged: 0, failed: 0, errors: [] });
    expect(await members()).toMatchObject([
      { key: 'a', operation: 'upsert', data: { n: 2 }, message: 'New', baseVersion: null, stagedBy: ['ann'] },
      { key: 'b', data: { n: 2 }, message: null, baseVersion: 1 },
      { key: 'c', data: { n: 2, m: 1 }, message: 'Changed' },
      { key: 'd', operation: 'delete', data: null },
    ]);
    const { headers: now } = await call.get(changeset.path).expect(200);
    expect([headers.etag, headers['diptych-revision']]).toEqual([now.etag, now['diptych-revision']]);
    await call.get(collection.record('a')).expect(404);
    const { body: committed } = await call
      .post(`${changeset.path}/commit`)
      .set('If-Match', headers.etag ?? '')
      .expect(200);
    expect(committed.changeCount).toBe(4);
  });

  test('a later line sees an earlier one', async () => {
    const { line, put, stage, members } = await prepare();
    const { body } = await stage(
      put('a', { n: 1 }),
      line('a', { operation: 'merge', patch: { m: 1 } }),
      put('a', { n: 1, m: 1 }),
      line('a', { operation: 'patch', patch: [{ op: 'remove', path: '/n' }] }),
    ).expect(200);
    expect(body).toMatchObject({ staged: 3, unchanged: 1, failed: 0 });
    expect(await members()).toMatchObject([{ key: 'a', data: { m: 1 } }]);
  });

  test('what is so already is unchanged, and no edit', async () => {
    const { collection, put, line, stage, members } = await prepare();
    await collection.commit('a', { n: 1 });
    const first = await stage(put('a', { n: 1 }, { message: 'why' }), put('b', { n: 1 })).expect(200);
    expect(first.body).toMatchObject({ staged: 1, unchanged: 1 });
    expect((await members()).map(({ key }) => key)).toEqual(['b']);
    const again = await stage(put('b', { n: 1 }), line('b', { operation: 'merge', patch: {} })).expect(200);
    expect(again.body).toMatchObject({ staged: 0, unchanged: 2 });
    expect(again.headers.etag).toBe(first.headers.etag);
  });

  test('a bad line names its number and its place, and stops nothing else', async () => {
    const { line, put, stage, members, collection } = await prepare();
    const { body } = await stage(
      put('a', {}),
      '{broken',
      '',
      put('..', {}),
      line('b', { operation: 'replace' }),
      line('b', { operation: 'delete' }),
      line('b', { operation: 'merge', patch: {} }),
      line('b', { operation: 'put', data: {}, ifVersion: 1 }),
      line('b', { operation: 'put' }),
      put('b', {}).replace('{}', '{"list":[1,1e400]}'),
      put('b', {}).replace('{}', '{"__proto__":1}'),
      put('b', { text: 'x'.repeat(50_000) }),
      JSON.stringify({ collection: 'missing', key: 'a', operation: 'put', data: {} }),
      '"text"',
      put('b', { text: 'x'.repeat(300_000) }),
      put('z', {}),
    ).expect(200);
    expect(body).toMatchObject({ staged: 2, unchanged: 0, failed: 13 });
    expect(codesOf(body)).toEqual([
      [2, 'malformed-json', ''],
      [4, 'format', '/key'],
      [5, 'choice', '/operation'],
      [6, 'record-not-found', ''],
      [7, 'record-not-found', ''],
      [8, 'unknown-member', '/ifVersion'],
      [9, 'format', '/data'],
      [10, 'number-not-exact', '/data/list/1'],
      [11, 'forbidden-member', '/data/__proto__'],
      [12, 'record-too-large', '/data'],
      [13, 'collection-not-found', ''],
      [14, 'type', ''],
      [15, 'line-too-long', ''],
    ]);
    expect(body.errors[3]).toMatchObject({ collection: collection.name, key: 'b' });
    expect(body.errors[1]).toMatchObject({ collection: collection.name, key: '..' });
    expect((await members()).map(({ key }) => key)).toEqual(['a', 'z']);
  });

  test('a failing test of a JSON Patch and an impossible patch fail alone', async () => {
    const { collection, line, stage } = await prepare();
    await collection.commit('a', { n: 1 });
    const { body } = await stage(
      line('a', { operation: 'patch', patch: [{ op: 'test', path: '/n', value: 2 }] }),
      line('a', { operation: 'patch', patch: [{ op: 'remove', path: '/m' }] }),
      line('a', { operation: 'patch', patch: [{ op: 'add', path: '/m', value: 1 }] }),
    ).expect(200);
    expect(body.staged).toBe(1);
    expect(codesOf(body)).toEqual([
      [1, 'patch-test-failed', '/patch/0'],
      [2, 'patch-impossible', '/patch/0'],
    ]);
  });

  test('MAX_BODY_BYTES is no bound', async () => {
    const { put, stage } = await prepare();
    const lines = Array.from({ length: 600 }, (_, index) => put(`k${index}`, { text: 'x'.repeat(1000) }));
    expect((await stage(...lines).expect(200)).body.staged).toBe(600);
  });

  test.each([
    ['no lines', ''],
    ['blank lines', '\n \r\n'],
  ])('%s are none staged', async (_, text) => {
    const { changeset } = await prepare();
    const { body } = await call.post(`${changeset.path}/stage`).type(NDJSON).send(text).expect(200);
    expect(body).toEqual({ staged: 0, unchanged: 0, failed: 0, errors: [] });
  });

  test('neither is a call without a body', async () => {
    const { changeset } = await prepare();
    const { body } = await call.post(`${changeset.path}/stage`).expect(200);
    expect(body.staged).toBe(0);
  });
});

describe('nobody’s work is overwritten unseen', () => {
  async function withStaged() {
    const prepared = await prepare();
    const { headers } = await prepared.stage(prepared.put('a', { n: 1 })).expect(200);
    return { ...prepared, tag: headers.etag ?? '' };
  }

  test('a put or a deletion over another pending version fails', async () => {
    const { collection, put, line, stage, members } = await withStaged();
    await collection.commit('a', { n: 0 });
    const { body } = await stage(put('a', { n: 2 }), line('a', { operation: 'delete' })).expect(200);
    expect(codesOf(body)).toEqual([
      [1, 'precondition-required', ''],
      [2, 'precondition-required', ''],
    ]);
    expect(await members()).toMatchObject([{ data: { n: 1 } }]);
  });

  test('but not what adds to it', async () => {
    const { line, stage, members } = await withStaged();
    await stage(line('a', { operation: 'merge', patch: { m: 1 } })).expect(200);
    expect(await members()).toMatchObject([{ data: { n: 1, m: 1 } }]);
  });

  test('it goes with the tag of the changeset, also after a validation, and with *', async () => {
    const { changeset, put, stage, members } = await withStaged();
    await call.post(`${changeset.path}/validate`).expect(200);
    const { headers } = await call.get(changeset.path).expect(200);
    const first = await stage(put('a', { n: 2 }))
      .set('If-Match', headers.etag ?? '')
      .expect(200);
    expect(first.body.staged).toBe(1);
    await stage(put('a', { n: 3 }))
      .set('If-Match', '*')
      .expect(200);
    expect(await members()).toMatchObject([{ data: { n: 3 } }]);
  });

  test('412 when the changeset has been edited since', async () => {
    const { put, stage, tag } = await withStaged();
    await stage(put('b', {})).expect(200);
    const { body, headers } = await stage(put('a', { n: 2 }))
      .set('If-Match', tag)
      .expect(412);
    expect(body).toMatchObject({ code: 'precondition-failed', staged: 0 });
    expect(headers.etag).toBeDefined();
    await stage(put('a', { n: 2 }))
      .set('If-Match', 'W/"x"')
      .expect(412);
  });
});

describe('refusals', () => {
  test('400 for an id or a header that is none', async () => {
    await call.post('/v1/changesets/7/stage').type(NDJSON).send('{}').expect(400);
    const { changeset } = await prepare();
    await call.post(`${changeset.path}/stage`).type(NDJSON).set('If-Match', 'x').send('{}').expect(400);
  });

  test('404 without the changeset', async () => {
    const { body } = await call
      .post(`/v1/changesets/${randomUUID()}/stage`)
      .type(NDJSON)
      .send('{}')
      .expect(404);
    expect(body.code).toBe('changeset-not-found');
  });

  test('409 when the changeset is closed', async () => {
    const { changeset, put, stage } = await prepare();
    await call.post(`${changeset.path}/discard`).set('If-Match', '*').expect(200);
    const { body } = await stage(put('a', {})).expect(409);
    expect(body).toMatchObject({ code: 'changeset-closed', state: 'discarded', staged: 0, failed: 0 });
  });

  test.each(['application/json', 'text/plain', `${NDJSON}; charset=latin1`])('415 for %s', async (type) => {
    const { changeset, put } = await prepare();
    const { body, headers } = await call
      .post(`${changeset.path}/stage`)
      .set('Content-Type', type)
      .send(put('a', {}))
      .expect(415);
    expect(body.code).toBe('unsupported-media-type');
    expect(headers.accept).toBe(NDJSON);
  });

  test('415 for lines that are packed', async () => {
    const { changeset, put } = await prepare();
    const { body } = await call
      .post(`${changeset.path}/stage`)
      .set('Content-Type', NDJSON)
      .set('Content-Encoding', 'gzip')
      .send(put('a', {}))
      .expect(415);
    expect(body.code).toBe('unsupported-media-type');
  });

  test('405 for what is no POST', async () => {
    const { changeset } = await prepare();
    await call.get(`${changeset.path}/stage`).expect(405);
  });
});

describe('a stream that breaks off', () => {
  const port = () => (running.app.server.address() as AddressInfo).port;

  test('leaves staged what was staged, and its repeat finds that unchanged', async () => {
    const { changeset, put, stage } = await prepare();
    const lines = Array.from({ length: 800 }, (_, index) => put(`k${index}`, { index }));
    const stream = openStream(port(), `${changeset.path}/stage`, { 'Content-Type': NDJSON });
    await stream.send(`${lines.join('\n')}\n{"collection":"`);
    // The first 500 lines are one transaction; its end shows in the changeset.
    let memberCount = 0;
    while (memberCount === 0) ({ memberCount } = (await call.get(changeset.path).expect(200)).body);
    stream.socket.destroy();
    await stream.answer;
    const { body } = await stage(...lines).expect(200);
    expect(body).toEqual({ staged: 300, unchanged: 500, failed: 0, errors: [] });
  });

  test('is told early when the changeset is closed in the middle, with the counts so far', async () => {
    const { changeset, put } = await prepare();
    const line = (index: number) => `${put(`k${index}`, { index })}\n`;
    const many = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => line(from + index)).join('');
    const stream = openStream(port(), `${changeset.path}/stage`, { 'Content-Type': NDJSON });
    await stream.send(many(0, 500));
    let memberCount = 0;
    while (memberCount === 0) ({ memberCount } = (await call.get(changeset.path).expect(200)).body);
    await call.post(`${changeset.path}/discard`).set('If-Match', '*').expect(200);
    await stream.send(many(500, 1100));
    await stream.answered;
    // Who goes on sending still gets the answer whole, and can use the connection again.
    await stream.send(many(1100, 1200));
    stream.finish();
    stream.socket.end('GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const answer = await stream.answer;
    expect(answer).toMatch(/^HTTP\/1\.1 409 /);
    expect(answer).toContain('"code":"changeset-closed"');
    expect(answer).toContain('"staged":500');
    expect(answer).toContain('HTTP/1.1 200 OK');
  });
});
