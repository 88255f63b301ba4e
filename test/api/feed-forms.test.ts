import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, deleting, newCollection, type RunningApi, startApi } from '../support/api.js';
import { sendRaw } from '../support/raw-request.js';

let running: RunningApi;
let call: Api;
beforeAll(async () => {
  running = await startApi();
  ({ call } = running);
});

const headOf = async () => (await call.get('/v1/changes?limit=1').expect(200)).body.head as number;

/** A record that is created, updated and deleted, beside another; and where the feed was before. */
async function threeSteps() {
  const { name, commit, remove } = await newCollection(call);
  const after = await headOf();
  await commit('a', { n: 1, deep: { x: [1] } });
  await commit('a', { n: 2 });
  await remove('a');
  return { name, after };
}

/** Follows `next_cursor` from the first page to the one that has none. */
async function followCursor(query: string): Promise<{ pages: Record<string, unknown>[][]; head: number }> {
  const pages: Record<string, unknown>[][] = [];
  for (let cursor = ''; ; ) {
    const { body } = await call.get(`/v1/changes?${query}&cursor=${cursor}`).expect(200);
    pages.push(body.data);
    if (body.next_cursor === null) return { pages, head: body.head };
    expect(body.next_cursor).toBeTypeOf('string');
    cursor = body.next_cursor;
  }
}

describe('rows', () => {
  test('tell each update as two rows on one page, and end with a cursor that is null', async () => {
    const { name, after } = await threeSteps();
    for (const limit of [1, 2, 100]) {
      const { pages } = await followCursor(`format=rows&after=${after}&collection=${name}&limit=${limit}`);
      const rows = pages.flat();
      expect(rows.map((row) => row.row_kind)).toEqual(['+I', '-U', '+U', '-D']);
      expect(rows[0]).toMatchObject({ record_key: 'a', version: 1, payload: { n: 1, deep: { x: [1] } } });
      const sequence = rows.map((row) => Number(row.seq));
      expect(sequence).toEqual([...new Set(sequence)].sort((a, b) => a - b));
      for (const page of pages) {
        const kinds = page.map((row) => row.row_kind).join(' ');
        expect(kinds.includes('-U')).toBe(kinds.includes('-U +U'));
      }
    }
  });

  test('start from the beginning without a cursor, whatever stands for none', async () => {
    const { after } = await threeSteps();
    const texts = await Promise.all(
      ['', '&cursor=', '&cursor=null', `&cursor=\${cursor}`, '&cursor=%24%7Bcursor%7D'].map(
        async (none) => (await call.get(`/v1/changes?format=rows&after=${after}${none}`).expect(200)).text,
      ),
    );
    expect(new Set(texts).size).toBe(1);
    expect(JSON.parse(texts[0] ?? '').data).toHaveLength(4);
  });

  test('take a placeholder that nobody has encoded', async () => {
    const { port } = running.app.server.address() as AddressInfo;
    const target = `/v1/changes?format=rows&limit=1&cursor=\${cursor}`;
    const answer = await sendRaw(port, { method: 'GET', target, headers: [], body: null });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toHaveProperty('next_cursor');
  });

  test('go on from the head later, and wait for what comes', async () => {
    const { name, after } = await threeSteps();
    const { head } = await followCursor(`format=rows&after=${after}&collection=${name}`);
    const idle = await call.get(`/v1/changes?format=rows&cursor=${head}`).expect(200);
    expect(idle.body).toEqual({ data: [], next_cursor: null, head });
    expect(idle.headers['content-type']).toMatch(/^application\/json\b/);
    const waiting = call
      .get(`/v1/changes?format=rows&cursor=${head}&wait=30`)
      .expect(200)
      .then(({ body }) => body);
    const { commit } = await newCollection(call);
    await commit('b', {});
    expect((await waiting).data).toMatchObject([{ row_kind: '+I', record_key: 'b' }]);
  });
});

test('debezium and cloudevents come in pages of the same form', async () => {
  const { name, after } = await threeSteps();
  const debezium = await followCursor(`format=debezium&after=${after}&collection=${name}&limit=2`);
  expect(debezium.pages.flat().map((item) => item.op)).toEqual(['c', 'u', 'd']);
  const events = await followCursor(`format=cloudevents&after=${after}&collection=${name}&limit=2`);
  expect(events.pages.flat().map((item) => item.type)).toEqual([
    'diptych.record.created',
    'diptych.record.updated',
    'diptych.record.deleted',
  ]);
});

describe('keyPrefix', () => {
  test('shows what it asks for, of one collection or of all, and moves on over the rest', async () => {
    const one = await newCollection(call);
    const other = await newCollection(call);
    const after = await headOf();
    for (const { commit } of [one, other])
      for (const key of ['tea/green', 'tea', 'teb', 'coffee', 'té', 'tea\u{10ffff}']) await commit(key, {});
    const keysOf = async (query: string) => {
      const { body } = await call.get(`/v1/changes?after=${after}&${query}`).expect(200);
      expect(body.next).toBe(String(body.head));
      return body.changes.map((change: { key: string }) => change.key);
    };
    const found = ['tea/green', 'tea', 'tea\u{10ffff}'];
    expect(await keysOf(`keyPrefix=tea&collection=${one.name}`)).toEqual(found);
    expect(await keysOf('keyPrefix=tea')).toEqual([...found, ...found]);
    expect(await keysOf('keyPrefix=t%C3%A9')).toEqual(['té', 'té']);
    expect(await keysOf('keyPrefix=tea/x')).toEqual([]);
  });

  test('splits no commit, and pages together are the filtered feed', async () => {
    const { name } = await newCollection(call);
    const after = await headOf();
    const put = (keys: string[]) =>
      call
        .post('/v1/commits')
        .send({ changes: keys.map((key) => ({ collection: name, key, operation: 'put', data: {} })) })
        .expect(200);
    await put(['a1', 'b1', 'a2']);
    await put(['b2']);
    await put(['b3', 'a3', 'a4']);
    const pages: string[][] = [];
    for (let next = String(after), head = 0; next !== String(head); ) {
      const { body } = await call.get(`/v1/changes?after=${next}&keyPrefix=a&limit=3`).expect(200);
      pages.push(body.changes.map((change: { key: string }) => change.key));
      ({ next, head } = body);
    }
    expect(pages).toEqual([
      ['a1', 'a2'],
      ['a3', 'a4'],
    ]);
  });

  test('is refused for its own lost data only: 410 when a change that it asks for has lost a side', async () => {
    const { call: alone } = await startApi();
    const { name, commit, retain } = await newCollection(alone, deleting);
    await commit('a', { n: 1 });
    await commit('b', { n: 1 });
    const horizon = await commit('a', { n: 2 });
    await retain();
    const kept = await alone.get('/v1/changes?after=0&keyPrefix=b').expect(200);
    expect(kept.body.changes).toMatchObject([{ key: 'b', after: { data: { n: 1 } } }]);
    const { body } = await alone.get(`/v1/changes?after=0&collection=${name}&keyPrefix=a`).expect(410);
    expect(body).toMatchObject({
      code: 'position-expired',
      horizon,
      resume: {
        records: `/v1/collections/${name}/records?revision=${horizon}&keyPrefix=a`,
        changes: `/v1/changes?after=${horizon}&collection=${name}&keyPrefix=a`,
      },
    });
    const records = await alone.get(body.resume.records).expect(200);
    expect(records.body.items).toMatchObject([{ key: 'a', data: { n: 2 } }]);
    await commit('a', { n: 3 });
    const { body: news } = await alone.get(body.resume.changes).expect(200);
    expect(news.changes).toMatchObject([{ before: { data: { n: 2 } }, after: { data: { n: 3 } } }]);
  });
});

describe('400', () => {
  test.each([
    ['format=xml', ['/format']],
    ['cursor=7', ['/cursor']],
    ['format=rows&cursor=seven', ['/cursor']],
    ['format=rows&cursor=1.2.3', ['/cursor']],
    ['keyPrefix=', ['/keyPrefix']],
    [`keyPrefix=${'x'.repeat(256)}&format=csv&after=x`, ['/after', '/keyPrefix', '/format']],
  ])('%s', async (query, pointers) => {
    const { body } = await call.get(`/v1/changes?${query}`).expect(400);
    expect(body.errors.map((failure: { pointer: string }) => failure.pointer)).toEqual(pointers);
  });
});
