import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { newChangeset, newCollection, startApi } from '../support/api.js';
import { sendRaw } from '../support/raw-request.js';

const running = await startApi({ maxBodyBytes: 400_000, maxRecordBytes: 50_000 });
const { call, app } = running;

type Collection = Awaited<ReturnType<typeof newCollection>>;

const report = (counts: object) => ({
  staged: 0,
  unchanged: 0,
  skipped: 0,
  failed: 0,
  errors: [],
  ...counts,
});

async function prepare(definition: object = {}) {
  const collection = await newCollection(call, definition);
  const ingest = (body: unknown, query = '') =>
    call
      .post(`${collection.path}/ingest?keyField=id&rowKindField=row_kind${query}`)
      .type('application/json')
      .send(JSON.stringify(body));
  return { collection, ingest };
}

const pendingOf = async (collection: Collection, key: string, query = '') =>
  (await call.get(`${collection.pending(key)}${query}`)).body;

const dataOf = async (collection: Collection, key: string) =>
  (await call.get(collection.record(key)).expect(200)).body.data;

const problemsOf = (body: { errors: { row?: number; code: string; pointer: string }[] }) =>
  body.errors.map(({ row, code, pointer }) => [row, code, pointer]);

describe('200', () => {
  test('a flat row is staged as its record, the key member kept and the row kind taken out', async () => {
    const { collection, ingest } = await prepare();
    const row = { id: 'a', name: 'x', row_kind: '+I' };
    const { body, headers } = await ingest(row).expect(200);
    expect(body).toEqual(report({ staged: 1 }));
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(await pendingOf(collection, 'a')).toMatchObject({
      operation: 'upsert',
      data: { id: 'a', name: 'x' },
      baseVersion: null,
      message: null,
    });
    await call.get(collection.record('a')).expect(404);
  });

  test('without rowKindField, the member is one like any other', async () => {
    const collection = await newCollection(call);
    const row = { id: 'a', row_kind: '-D' };
    const { body } = await call.post(`${collection.path}/ingest?keyField=id`).send(row).expect(200);
    expect(body).toEqual(report({ staged: 1 }));
    expect(await pendingOf(collection, 'a')).toMatchObject({ data: row });
  });

  test.each(['+I', 'INSERT', '+U', 'UPDATE_AFTER'])('%s stages an upsert', async (row_kind) => {
    const { collection, ingest } = await prepare();
    const { body } = await ingest([{ id: 'a', n: 1, row_kind }]).expect(200);
    expect(body).toEqual(report({ staged: 1 }));
    expect(await pendingOf(collection, 'a')).toMatchObject({ operation: 'upsert', data: { id: 'a', n: 1 } });
  });

  test.each(['-U', 'UPDATE_BEFORE'])('%s is skipped', async (row_kind) => {
    const { collection, ingest } = await prepare();
    const { body } = await ingest([{ id: 'a', n: 1, row_kind }]).expect(200);
    expect(body).toEqual(report({ skipped: 1 }));
    await call.get(collection.pending('a')).expect(404);
  });

  test.each(['-D', 'DELETE'])('%s stages a deletion', async (row_kind) => {
    const { collection, ingest } = await prepare();
    await collection.commit('a', { id: 'a' });
    const { body } = await ingest([{ id: 'a', row_kind }]).expect(200);
    expect(body).toEqual(report({ staged: 1 }));
    expect(await pendingOf(collection, 'a')).toMatchObject({ operation: 'delete', data: null });
  });

  test('a row without its kind is one to keep', async () => {
    const { ingest } = await prepare();
    const { body } = await ingest([{ id: 'a' }]).expect(200);
    expect(body).toEqual(report({ staged: 1 }));
  });

  test.each([
    ['a number', 1, '1'],
    ['a number with a fraction', 1.5, '1.5'],
    ['a boolean', false, 'false'],
    ['a text of any script', 'ключ / 1', 'ключ / 1'],
  ])('the key may be %s', async (_, id, key) => {
    const { collection, ingest } = await prepare();
    await ingest([{ id }]).expect(200);
    expect(await pendingOf(collection, key)).toMatchObject({ key, data: { id } });
  });

  test('one number is one key, however it is written', async () => {
    const { collection } = await prepare();
    const { body } = await call
      .post(`${collection.path}/ingest?keyField=id`)
      .type('application/json')
      .send('[{"id":1,"n":1},{"id":1.0,"n":2},{"id":10e-1,"n":3}]')
      .expect(200);
    expect(body).toEqual(report({ staged: 3 }));
    expect(await pendingOf(collection, '1')).toMatchObject({ data: { id: 1, n: 3 } });
  });

  test('rows of one record are applied in their order, and the last one counts', async () => {
    const { collection, ingest } = await prepare();
    await collection.commit('a', { id: 'a', n: 1 });
    const { body } = await ingest([
      { id: 'a', row_kind: '-D' },
      { id: 'a', n: 2, row_kind: '+I' },
      { id: 'b', n: 1, row_kind: '+I' },
      { id: 'b', n: 1, row_kind: '-U' },
      { id: 'b', n: 2, row_kind: '+U' },
      { id: 'c', row_kind: '+I' },
      { id: 'c', row_kind: '-D' },
    ]).expect(200);
    expect(body).toEqual(report({ staged: 4, unchanged: 2, skipped: 1 }));
    expect(await pendingOf(collection, 'a')).toMatchObject({ operation: 'upsert', data: { n: 2 } });
    expect(await pendingOf(collection, 'b')).toMatchObject({ data: { n: 2 } });
    await call.get(collection.pending('c')).expect(404);
  });

  test('a repeat leaves the same pending version', async () => {
    const { collection, ingest } = await prepare();
    await ingest([{ id: 'a', n: 1 }]).expect(200);
    const { headers } = await call.get(collection.pending('a')).expect(200);
    const { body } = await ingest([{ id: 'a', n: 1 }]).expect(200);
    expect(body).toEqual(report({ unchanged: 1 }));
    expect((await call.get(collection.pending('a'))).headers.etag).toBe(headers.etag);
  });

  test('a row replaces what is pending, whoever staged it', async () => {
    const { collection, ingest } = await prepare();
    await collection.stage('a', { by: 'hand' });
    const { body } = await ingest([{ id: 'a', n: 1 }])
      .set('Diptych-Actor', 'sink')
      .expect(200);
    expect(body).toEqual(report({ staged: 1 }));
    expect(await pendingOf(collection, 'a')).toMatchObject({
      data: { id: 'a', n: 1 },
      stagedBy: ['anonymous', 'sink'],
    });
  });

  test('what readers see already makes no pending version, and leaves none', async () => {
    const { collection, ingest } = await prepare();
    await collection.commit('a', { id: 'a', n: 1 });
    const first = await ingest([{ id: 'a', n: 1 }]).expect(200);
    expect(first.body).toEqual(report({ unchanged: 1 }));
    await call.get(collection.pending('a')).expect(404);
    await collection.stage('a', { id: 'a', n: 2 });
    const second = await ingest([{ id: 'a', n: 1 }]).expect(200);
    expect(second.body).toEqual(report({ staged: 1 }));
    await call.get(collection.pending('a')).expect(404);
  });

  test('the deletion of what is not there is unchanged; of what is only pending, it takes that out', async () => {
    const { collection, ingest } = await prepare();
    const remove = [{ id: 'a', row_kind: '-D' }];
    expect((await ingest(remove).expect(200)).body).toEqual(report({ unchanged: 1 }));
    await ingest([{ id: 'a' }]).expect(200);
    expect((await ingest(remove).expect(200)).body).toEqual(report({ staged: 1 }));
    await call.get(collection.pending('a')).expect(404);
    expect((await ingest(remove).expect(200)).body).toEqual(report({ unchanged: 1 }));
  });

  test('with a changeset the rows are its members, and go live with it', async () => {
    const { collection, ingest } = await prepare();
    await collection.commit('b', { id: 'b' });
    const changeset = await newChangeset(call);
    const query = `&changeset=${changeset.id}`;
    const rows = [{ id: 'a' }, { id: 'b', row_kind: '-D' }, { id: 'c' }];
    expect((await ingest(rows, query).expect(200)).body).toEqual(report({ staged: 3 }));
    expect((await ingest(rows, query).expect(200)).body).toEqual(report({ unchanged: 3 }));
    const dropped = await ingest([{ id: 'c', row_kind: '-D' }], query).expect(200);
    expect(dropped.body).toEqual(report({ staged: 1 }));
    const { body: members } = await call.get(`${changeset.path}/pending`).expect(200);
    expect(
      members.items.map(({ key, operation }: { key: string; operation: string }) => [key, operation]),
    ).toEqual([
      ['a', 'upsert'],
      ['b', 'delete'],
    ]);
    await call.get(collection.pending('a')).expect(404);
    await call.post(`${changeset.path}/commit`).set('If-Match', '*').send({}).expect(200);
    expect(await dataOf(collection, 'a')).toEqual({ id: 'a' });
    await call.get(collection.record('b')).expect(410);
  });

  test('a call counts as one edit of the changeset, and a repeat as none', async () => {
    const { ingest } = await prepare();
    const changeset = await newChangeset(call);
    const tag = async () => (await call.get(changeset.path).expect(200)).headers.etag;
    const tags = [await tag()];
    await ingest([{ id: 'a' }, { id: 'b' }], `&changeset=${changeset.id}`).expect(200);
    tags.push(await tag());
    await ingest([{ id: 'a' }, { id: 'b' }], `&changeset=${changeset.id}`).expect(200);
    tags.push(await tag());
    expect(new Set(tags).size).toBe(2);
    expect(tags[2]).toBe(tags[1]);
  });

  test('no rows are taken as well', async () => {
    const { ingest } = await prepare();
    expect((await ingest([]).expect(200)).body).toEqual(report({}));
    expect((await ingest([], '&commit=true').expect(200)).body).toEqual(
      report({ revision: expect.any(Number) }),
    );
  });
});

describe('200 with commit=true', () => {
  test('the rows go live in one revision, and a repeat makes none', async () => {
    const { collection, ingest } = await prepare();
    await collection.commit('a', { id: 'a', n: 1 });
    const before = await collection.commit('b', { id: 'b' });
    const rows = [
      { id: 'a', n: 1, row_kind: '-U' },
      { id: 'a', n: 2, row_kind: '+U' },
      { id: 'b', row_kind: '-D' },
      { id: 'c', row_kind: '+I' },
      { id: 'never', row_kind: '-D' },
    ];
    const { body, headers } = await ingest(rows, '&commit=true').set('Diptych-Actor', 'sink').expect(200);
    expect(body).toEqual(report({ staged: 3, unchanged: 1, skipped: 1, revision: before + 1 }));
    expect(headers['diptych-revision']).toBe(String(before + 1));
    expect(await dataOf(collection, 'a')).toEqual({ id: 'a', n: 2 });
    await call.get(collection.record('b')).expect(410);
    await call.get(collection.record('never')).expect(404);
    const { body: commit } = await call.get(`/v1/commits/${before + 1}`).expect(200);
    expect(commit).toMatchObject({ author: 'sink', changeCount: 3, kind: 'commit' });
    const again = await ingest(rows, '&commit=true').expect(200);
    expect(again.body).toEqual(report({ unchanged: 4, skipped: 1, revision: before + 1 }));
  });

  test('what is pending stays, and is outdated', async () => {
    const { collection, ingest } = await prepare();
    await collection.commit('a', { id: 'a', n: 1 });
    await collection.stage('a', { id: 'a', n: 5 });
    await ingest([{ id: 'a', n: 2 }], '&commit=true').expect(200);
    expect(await pendingOf(collection, 'a')).toMatchObject({ data: { n: 5 }, outdated: true });
  });

  test('a repeat with its Idempotency-Key gets the first answer', async () => {
    const { collection, ingest } = await prepare();
    const send = () =>
      ingest([{ id: 'a' }, { id: 'b' }], '&commit=true').set('Idempotency-Key', collection.name);
    const first = await send().expect(200);
    await collection.remove('a');
    const again = await send().expect(200);
    expect(again.body).toEqual(first.body);
    expect(again.headers['idempotency-replayed']).toBe('true');
    await call.get(collection.record('a')).expect(410);
  });

  test('no rows that count are an answer to keep as well: its Idempotency-Key is used up', async () => {
    const { collection, ingest } = await prepare();
    for (const rows of [[], [{ id: 'a', row_kind: '-U' }]]) {
      const send = (body: unknown) =>
        ingest(body, '&commit=true').set('Idempotency-Key', `${collection.name} ${rows.length}`);
      const first = await send(rows).expect(200);
      expect(first.body).toEqual(report({ skipped: rows.length, revision: expect.any(Number) }));
      expect(first.headers['idempotency-replayed']).toBeUndefined();
      await collection.commit('b', { of: rows.length });
      const again = await send(rows).expect(200);
      expect(again.body).toEqual(first.body);
      expect(again.headers['idempotency-replayed']).toBe('true');
      const other = await send([{ id: 'a' }]).expect(422);
      expect(other.body.code).toBe('idempotency-key-reused');
    }
    await call.get(collection.record('a')).expect(404);
  });

  test('a kept answer counts what changed beyond the first thousand', async () => {
    const { collection, ingest } = await prepare();
    await collection.commit('r1199', { id: 'r1199' });
    const rows = Array.from({ length: 1200 }, (_, index) => ({ id: `r${index}` }));
    const send = () => ingest(rows, '&commit=true').set('Idempotency-Key', collection.name);
    const first = await send().expect(200);
    expect(first.body).toMatchObject({ staged: 1199, unchanged: 1 });
    expect((await send().expect(200)).body).toEqual(first.body);
  });

  test('counts what changed beyond the first thousand', async () => {
    const { collection, ingest } = await prepare();
    await collection.commit('r1199', { id: 'r1199' });
    const rows = Array.from({ length: 1200 }, (_, index) => ({ id: `r${index}` }));
    const { body } = await ingest([...rows, { id: 'r1199' }], '&commit=true').expect(200);
    expect(body).toMatchObject({ staged: 1199, unchanged: 2 });
  });
});

/** A request that was recorded from the engine: its headers in their order, and its body. */
async function recorded(name: string): Promise<{ headers: [string, string][]; body: string }> {
  const text = await readFile(new URL(`./fixtures/ingest/${name}.http`, import.meta.url), 'utf8');
  const [head = '', body = ''] = text.split('\r\n\r\n', 2);
  const headers = head
    .split('\r\n')
    .slice(1)
    .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]);
  return { headers: headers.filter(([field]) => field !== 'Host' && field !== 'Connection'), body };
}

describe('requests as the engine sends them', () => {
  async function replay(name: string, query = '', other?: string) {
    const collection = await newCollection(call);
    const { headers, body } = await recorded(name);
    const { port } = app.server.address() as AddressInfo;
    const answer = await sendRaw(port, {
      method: 'POST',
      target: `${collection.path}/ingest?keyField=id${query}`,
      headers: other === undefined ? headers : headers.filter(([field]) => field !== 'Content-Length'),
      body: Buffer.from(other ?? body),
    });
    expect(headers.filter(([field]) => field === 'Content-Type').length).toBeGreaterThan(1);
    return { collection, status: answer.status, body: JSON.parse(answer.text) };
  }

  test.each([
    ['seatunnel-2.3.8-row', '1', 'Ünï ☃'],
    ['seatunnel-2.3.8-second-row', '2', 'plain'],
    ['seatunnel-2.3.8-row-with-header', '1', 'Ünï ☃'],
  ])('%s: one row, its content type more than once', async (name, key, text) => {
    const { collection, status, body } = await replay(name);
    expect([status, body]).toEqual([200, report({ staged: 1 })]);
    expect(await pendingOf(collection, key)).toMatchObject({ data: { id: Number(key), name: text } });
    const committed = await replay(name, '&commit=true');
    expect([committed.status, committed.body]).toEqual([
      200,
      report({ staged: 1, revision: expect.any(Number) }),
    ]);
    expect(await dataOf(committed.collection, key)).toMatchObject({
      since: expect.stringMatching(/^2026-11-2/),
    });
  });

  // What newer versions send with `array_mode`, under the headers that were recorded.
  test.each([
    ['rows (3.1.0)', (rows: object[]) => rows],
    ['texts of rows (2.3.11)', (rows: object[]) => rows.map((row) => JSON.stringify(row))],
  ])('an array of %s', async (_, toBody) => {
    const rows = [
      { id: 1, name: 'Espresso machine', price: 499.5, row_kind: '+I' },
      { id: 2, name: 'Grinder', price: 199, row_kind: '+I' },
      { id: 2, name: 'Grinder', price: 199, row_kind: '-U' },
      { id: 2, name: 'Grinder', price: 189, row_kind: '+U' },
      { id: 3, name: 'Kettle', price: 29, row_kind: '-D' },
    ];
    const { collection, status, body } = await replay(
      'seatunnel-2.3.8-row',
      '&rowKindField=row_kind',
      JSON.stringify(toBody(rows)),
    );
    expect([status, body]).toEqual([200, report({ staged: 3, unchanged: 1, skipped: 1 })]);
    expect(await pendingOf(collection, '1')).toMatchObject({
      data: { id: 1, name: 'Espresso machine', price: 499.5 },
    });
    expect(await pendingOf(collection, '2')).toMatchObject({ data: { id: 2, name: 'Grinder', price: 189 } });
  });

  test.each([
    ['application/json, application/json', 200],
    ['application/json;charset=utf-8, Application/JSON', 200],
    ['application/json, text/plain', 415],
    ['application/json, application/json; charset=latin1', 415],
    ['application/json,', 415],
  ])('a content type that was joined on the way: %s', async (type, status) => {
    const { collection } = await prepare();
    await call
      .post(`${collection.path}/ingest?keyField=id`)
      .set('Content-Type', type)
      .send('{"id":1}')
      .expect(status);
  });
});

describe('400', () => {
  test.each([
    ['', ['/keyField']],
    ['?keyField=', ['/keyField']],
    ['?keyField=id&commit=yes', ['/commit']],
    ['?keyField=id&kind=x&changeset=7', ['/changeset', '/kind']],
    ['?keyField=id&rowKindField=id', ['/rowKindField']],
    ['?keyField=id&commit=true&changeset=7b0f3f5e-3d0e-4d8e-9c58-0f6c2b1a9d11', ['/commit']],
  ])('query %s', async (query, pointers) => {
    const { collection } = await prepare();
    const { body } = await call.post(`${collection.path}/ingest${query}`).send({ id: 'a' }).expect(400);
    expect(body.code).toBe('invalid-request');
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual(pointers);
  });

  test.each(['"text"', '1', 'null', ''])('a body that is no row and no array of rows: %s', async (body) => {
    const { collection } = await prepare();
    const { body: problem } = await call
      .post(`${collection.path}/ingest?keyField=id`)
      .type('application/json')
      .send(body)
      .expect(400);
    expect(problem.code).toBe('invalid-request');
  });

  test('a text that is no JSON, or holds a forbidden member, names its row', async () => {
    const { ingest } = await prepare();
    const { body } = await ingest([
      '{"id":1}',
      '{"id":',
      '{"id":3,"__proto__":{}}',
      { row_kind: '?' },
    ]).expect(400);
    expect(body.code).toBe('malformed-json');
    expect(body).toMatchObject({ staged: 0, failed: 3 });
    expect(problemsOf(body)).toEqual([
      [1, 'malformed-json', '/1'],
      [2, 'forbidden-member', '/2/__proto__'],
      [3, 'required', '/3/id'],
      [3, 'choice', '/3/row_kind'],
    ]);
  });
});

test('400 for a body with a forbidden member names its row, and for one that is no JSON none', async () => {
  const { collection } = await prepare();
  const send = (body: string) =>
    call.post(`${collection.path}/ingest?keyField=id`).type('application/json').send(body).expect(400);
  const forbidden = await send('[{"id":1},{"id":2,"__proto__":{}}]');
  expect(forbidden.body).toMatchObject({ code: 'forbidden-member', staged: 0, failed: 1 });
  expect(problemsOf(forbidden.body)).toEqual([[1, 'forbidden-member', '/1/__proto__']]);
  const malformed = await send('[{"id":1},');
  expect(malformed.body.code).toBe('malformed-json');
  expect(malformed.body.failed).toBeUndefined();
  expect(malformed.body.errors).toMatchObject([{ code: 'malformed-json' }]);
  expect(malformed.body.errors[0].row).toBeUndefined();
});

describe('404 and 409', () => {
  test('404 for an unknown collection, also without rows and with bad ones', async () => {
    for (const rows of [[], [{ id: 'a' }], [{}]]) {
      for (const query of ['', '&commit=true']) {
        const { body } = await call
          .post(`/v1/collections/missing/ingest?keyField=id${query}`)
          .send(rows)
          .expect(404);
        expect(body.code).toBe('collection-not-found');
      }
    }
  });

  test('404 for an unknown changeset, 409 for one that is closed', async () => {
    const { ingest } = await prepare();
    const unknown = await ingest([{ id: 'a' }], '&changeset=7b0f3f5e-3d0e-4d8e-9c58-0f6c2b1a9d11').expect(
      404,
    );
    expect(unknown.body.code).toBe('changeset-not-found');
    const changeset = await newChangeset(call);
    await call.post(`${changeset.path}/discard`).set('If-Match', '*').send({}).expect(200);
    const closed = await ingest([{ id: 'a' }], `&changeset=${changeset.id}`).expect(409);
    expect(closed.body.code).toBe('changeset-closed');
  });
});

describe('413', () => {
  test('too many rows, a row that is too large, and a body that is', async () => {
    const { ingest } = await prepare();
    const many = await ingest(Array.from({ length: 10_001 }, (_, id) => ({ id }))).expect(413);
    expect(many.body.code).toBe('too-many-rows');
    const large = await ingest([{ id: 'a' }, { id: 'b', text: 'x'.repeat(50_000) }]).expect(413);
    expect(large.body.code).toBe('record-too-large');
    expect(problemsOf(large.body)).toEqual([[1, 'record-too-large', '/1']]);
    const body = await ingest([{ id: 'a', text: 'x'.repeat(400_000) }]).expect(413);
    expect(body.body.code).toBe('body-too-large');
  });
});

describe('422', () => {
  test('all rows that cannot be taken are named, and nothing of the call is kept', async () => {
    const { collection, ingest } = await prepare();
    const { body } = await ingest([
      { id: 'good' },
      {},
      { id: null },
      { id: {} },
      { id: [] },
      { id: '' },
      { id: '..' },
      { id: 'x'.repeat(256) },
      { id: 'a\u0007' },
      { id: 'a', row_kind: '+i' },
      { id: 'a', row_kind: null },
      7,
      '[]',
      null,
      { row_kind: '-U' },
    ]).expect(422);
    expect(body).toMatchObject({ code: 'rows-refused', staged: 0, unchanged: 0, skipped: 0, failed: 14 });
    expect(problemsOf(body)).toEqual([
      [1, 'required', '/1/id'],
      [2, 'type', '/2/id'],
      [3, 'type', '/3/id'],
      [4, 'type', '/4/id'],
      [5, 'format', '/5/id'],
      [6, 'format', '/6/id'],
      [7, 'format', '/7/id'],
      [8, 'format', '/8/id'],
      [9, 'choice', '/9/row_kind'],
      [10, 'choice', '/10/row_kind'],
      [11, 'type', '/11'],
      [12, 'type', '/12'],
      [13, 'type', '/13'],
      [14, 'required', '/14/id'],
    ]);
    await call.get(collection.pending('good')).expect(404);
  });

  test('what cannot be stored exactly is refused with its place, in rows and in texts of rows', async () => {
    const { collection } = await prepare();
    const send = (body: string) =>
      call.post(`${collection.path}/ingest?keyField=id`).type('application/json').send(body).expect(422);
    const rows = await send(
      ' [{"id":"a"},{"id":"b","price":12345678901234567890,"name":"\\u0000"},{},"",{"id":{"3":1e400}}]',
    );
    expect(rows.body).toMatchObject({
      code: 'unstorable-data',
      staged: 0,
      unchanged: 0,
      skipped: 0,
      failed: 2,
    });
    expect(problemsOf(rows.body)).toEqual([
      [1, 'number-not-exact', '/1/price'],
      [1, 'nul-character', '/1/name'],
      [4, 'number-not-exact', '/4/id/3'],
    ]);
    const lone = await send('{"7":{"8":1e400},"id":"\\u0000"}');
    expect(lone.body).toMatchObject({ staged: 0, failed: 1 });
    expect(problemsOf(lone.body)).toEqual([
      [0, 'number-not-exact', '/7/8'],
      [0, 'nul-character', '/id'],
    ]);
    const texts = await send(
      JSON.stringify([
        '{"id":"a","price":0.10000000000000000055,"name":"\\ud800"}',
        '{"id":1e400}',
        '{"id":1,"id":2}',
      ]),
    );
    expect(texts.body.code).toBe('unstorable-data');
    expect(problemsOf(texts.body)).toEqual([
      [0, 'number-not-exact', '/0/price'],
      [0, 'unpaired-surrogate', '/0/name'],
      [1, 'number-not-exact', '/1/id'],
      [2, 'duplicate-member', '/2/id'],
    ]);
    const deep = await send(`[{"id":"a","deep":${'['.repeat(64)}${']'.repeat(64)}}]`);
    expect(problemsOf(deep.body)).toMatchObject([[0, 'too-deep', expect.stringMatching(/^\/0\/deep\/0/)]]);
  });

  test('a lone row is told of without an index', async () => {
    const { ingest } = await prepare();
    const { body } = await ingest({ name: 'x' }).expect(422);
    expect(problemsOf(body)).toEqual([[0, 'required', '/id']]);
  });

  test('a commit that breaks the definition names the rows, and nothing goes live', async () => {
    const { collection, ingest } = await prepare({
      schema: { type: 'object', properties: { price: { type: 'number', minimum: 0 } } },
      unique: [['/sku']],
    });
    const rows = [
      { id: 'a', price: 1, sku: 's1' },
      { id: 'b', price: -1, sku: 's2' },
      { id: 'c', price: 1, sku: 's3', row_kind: '-U' },
      { id: 'c', price: 'x', sku: 's3', row_kind: '+U' },
    ];
    const { body } = await ingest(rows, '&commit=true').expect(422);
    expect(body).toMatchObject({ code: 'validation-failed', staged: 0, failed: 2 });
    expect(body.errors).toMatchObject([
      { row: 1, pointer: '/1/price', key: 'b', collection: collection.name },
      { row: 3, pointer: '/3/price', key: 'c' },
    ]);
    await call.get(collection.record('a')).expect(404);
    const lone = await ingest({ id: 'b', price: -1 }, '&commit=true').expect(422);
    expect(lone.body.errors).toMatchObject([{ row: 0, pointer: '/price' }]);
  });
});

test('403 while a collection wants approvals and the rows would go live at once', async () => {
  const { ingest } = await prepare({ approvals: { required: 1 } });
  const { body } = await ingest([{ id: 'a' }], '&commit=true').expect(403);
  expect(body.code).toBe('approval-required');
});

test('405 and 415', async () => {
  const { collection } = await prepare();
  await call.get(`${collection.path}/ingest`).expect(405);
  await call.post(`${collection.path}/ingest?keyField=id`).type('text/csv').send('id\n1\n').expect(415);
});
