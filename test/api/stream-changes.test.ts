import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { deleting, newCollection, type RunningApi, startApi } from '../support/api.js';
import { type Following, followEvents, followLines } from '../support/follow.js';

let api: RunningApi;
beforeAll(async () => {
  api = await startApi();
});

const urlOf = ({ app }: RunningApi, query = '') =>
  `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/v1/changes${query}`;

/** Breaks it off when the test ends. */
function ending<Item>(following: Following<Item>): Following<Item> {
  onTestFinished(following.cut);
  return following;
}

const events = async (query: string, headers = {}, of = api) =>
  ending(await followEvents(urlOf(of, query), headers));
const lines = async (query: string, headers = {}, of = api) =>
  ending(await followLines(urlOf(of, query), headers));

async function take<Item>(following: Following<Item>, count: number): Promise<(Item | null)[]> {
  const items: (Item | null)[] = [];
  while (items.length < count) items.push(await following.next());
  return items;
}

const headOf = async () => (await api.call.get('/v1/changes?limit=1').expect(200)).body.head as number;

describe('events', () => {
  test('tell what was there, then what comes, each with the position after it', async () => {
    const { name: collection, commit, remove } = await newCollection(api.call);
    const after = await headOf();
    const first = await commit('a', { n: 1 });
    const stream = await events(`?after=${after}`);
    expect(stream.status).toBe(200);
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'diptych-revision': String(first),
      vary: 'Accept',
    });
    expect(stream.headers['content-encoding']).toBeUndefined();
    const created = await stream.next();
    expect(stream.text()).toMatch(/^retry: 2000\n\n/);
    expect(created).toMatchObject({ id: String(first), event: 'change' });
    const { body } = await api.call.get(`/v1/changes?after=${after}`).expect(200);
    expect(JSON.parse(created?.data ?? '')).toEqual(body.changes[0]);
    const last = await remove('a');
    expect(await stream.next()).toMatchObject({
      id: String(last),
      data: expect.stringContaining(`"operation":"delete","collection":"${collection}"`),
    });
  });

  test('of a commit with many changes have ids within it, and the last one the whole', async () => {
    const { name: collection } = await newCollection(api.call);
    const after = await headOf();
    const changes = ['a', 'b', 'c'].map((key) => ({ collection, key, operation: 'put', data: {} }));
    const stream = await events(`?after=${after}`);
    const { body } = await api.call.post('/v1/commits').send({ changes }).expect(200);
    const { revision } = body;
    const told = await take(stream, 3);
    expect(told.map((event) => event?.id)).toEqual([`${revision}.1`, `${revision}.2`, String(revision)]);
    const resumed = await events(`?after=${revision}.1`);
    expect((await take(resumed, 2)).map((event) => event?.id)).toEqual([`${revision}.2`, String(revision)]);
  });

  test('go on after Last-Event-ID, whatever `after` says; an empty one says nothing', async () => {
    const { commit } = await newCollection(api.call);
    const after = await headOf();
    const first = await commit('a', {});
    const second = await commit('a', { n: 2 });
    const stream = await events(`?after=${after}`, { 'Last-Event-ID': String(first) });
    expect(await stream.next()).toMatchObject({ id: String(second) });
    const empty = await events(`?after=${after}`, { 'Last-Event-ID': '' });
    expect(await empty.next()).toMatchObject({ id: String(first) });
  });

  test('of one collection and of keys with a prefix', async () => {
    const one = await newCollection(api.call);
    const other = await newCollection(api.call);
    const after = await headOf();
    const streams = await Promise.all([
      events(`?after=${after}&collection=${one.name}`),
      events(`?after=${after}&keyPrefix=b`),
      events(`?after=${after}&collection=${one.name}&keyPrefix=b`),
    ]);
    await one.commit('a1', {});
    await other.commit('b1', {});
    await one.commit('b2', {});
    const keysOf = async (index: number, count: number) =>
      (await take(streams[index] as Following<{ data: string }>, count)).map(
        (event) => JSON.parse(event?.data ?? '').key,
      );
    expect(await keysOf(0, 2)).toEqual(['a1', 'b2']);
    expect(await keysOf(1, 2)).toEqual(['b1', 'b2']);
    expect(await keysOf(2, 1)).toEqual(['b2']);
  });

  test('are whole changes in the other forms as well: the two rows of an update are one event', async () => {
    const { commit } = await newCollection(api.call);
    const after = await headOf();
    await commit('a', { n: 1 });
    const last = await commit('a', { n: 2 });
    const rows = await events(`?after=${after}&format=rows`);
    const [, update] = await take(rows, 2);
    expect(update?.id).toBe(String(last));
    const kinds = update?.data.split('\n').map((row) => JSON.parse(row).row_kind);
    expect(kinds).toEqual(['-U', '+U']);
    const debezium = await events(`?after=${after}&format=debezium`);
    expect(JSON.parse((await debezium.next())?.data ?? '')).toMatchObject({ op: 'c', before: null });
  });

  test('come in silence too: a heartbeat moves the position of who is shown nothing', async () => {
    const quick = await startApi({}, { streamTimes: { heartbeatMs: 20, stallMs: 60_000 } });
    const shown = await newCollection(quick.call);
    const hidden = await newCollection(quick.call);
    const stream = await events(`?collection=${shown.name}`, {}, quick);
    const revision = await hidden.commit('a', {});
    for (;;) {
      const event = await stream.next();
      expect(event).toMatchObject({ event: 'heartbeat', data: `{"position":"${event?.id}"}` });
      if (event?.id === String(revision)) break;
    }
  });
});

describe('lines', () => {
  test('are changes, and where all has been told, a line with the position', async () => {
    const { commit } = await newCollection(api.call);
    const after = await headOf();
    const revision = await commit('a', { n: 1 });
    const stream = await lines(`?after=${after}`);
    expect(stream.headers).toMatchObject({
      'content-type': 'application/x-ndjson',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const [change, position] = await take(stream, 2);
    const { body } = await api.call.get(`/v1/changes?after=${after}`).expect(200);
    expect(JSON.parse(change ?? '')).toEqual(body.changes[0]);
    expect(position).toBe(`{"position":"${revision}"}`);
    const next = await commit('a', { n: 2 });
    expect((await take(stream, 2))[1]).toBe(`{"position":"${next}"}`);
  });

  test('take no notice of Last-Event-ID', async () => {
    const { commit } = await newCollection(api.call);
    const after = await headOf();
    const first = await commit('a', {});
    const stream = await lines(`?after=${after}`, { 'Last-Event-ID': String(first) });
    expect((await take(stream, 2))[1]).toBe(`{"position":"${first}"}`);
  });
});

test('HEAD tells what a stream would begin with, and ends', async () => {
  const { headers } = await api.call.head('/v1/changes').set('Accept', 'text/event-stream').expect(200);
  expect(headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  expect(headers['content-length']).toBeUndefined();
  await api.call.head('/v1/changes?after=999999').set('Accept', 'text/event-stream').expect(404);
});

describe('before a stream begins', () => {
  const ask = (query: string, accept = 'text/event-stream') =>
    api.call.get(`/v1/changes${query}`).set('Accept', accept);

  test('400 for what only pages have, and for an id that is none', async () => {
    const { body } = await ask('?limit=5&wait=1').expect(400);
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/limit', '/wait']);
    for (const name of ['page=1', 'group=commit']) {
      const refused = await ask(`?${name}`, 'application/x-ndjson').expect(400);
      expect(refused.body.errors).toMatchObject([
        { pointer: `/${name.split('=')[0]}`, code: 'not-together' },
      ]);
    }
    const id = await ask('').set('Last-Event-ID', 'x').expect(400);
    expect(id.body.errors).toMatchObject([{ pointer: '/last-event-id', in: 'header' }]);
  });

  test('404 for a position that has not come, and for an unknown collection', async () => {
    expect((await ask('?after=999999').expect(404)).body.code).toBe('revision-not-found');
    expect((await ask('?collection=missing', 'application/x-ndjson').expect(404)).body.code).toBe(
      'collection-not-found',
    );
  });

  test('406 for a type that the feed is not made as', async () => {
    const { body } = await ask('', 'text/html').expect(406);
    expect(body).toMatchObject({
      code: 'not-acceptable',
      available: ['application/json', 'text/event-stream', 'application/x-ndjson'],
    });
    await ask('', 'text/html, */*;q=0.1').expect(200);
  });

  test('410 for a position that retention has passed', async () => {
    const expired = await startApi();
    const { commit, retain } = await newCollection(expired.call, deleting);
    await commit('a', { n: 1 });
    const horizon = await commit('a', { n: 2 });
    await retain();
    for (const accept of ['text/event-stream', 'application/x-ndjson']) {
      const { body } = await expired.call.get('/v1/changes?after=0').set('Accept', accept).expect(410);
      expect(body).toMatchObject({ code: 'position-expired', horizon });
    }
  });
});

test('streams end whole when the process drains, and tell how far they came', async () => {
  const draining = await startApi();
  const { commit } = await newCollection(draining.call);
  const revision = await commit('a', {});
  const [stream, text] = await Promise.all([
    events(`?after=${revision - 1}`, {}, draining),
    lines(`?after=${revision - 1}`, {}, draining),
  ]);
  expect(await stream.next()).toMatchObject({ event: 'change' });
  await take(text, 2);
  draining.beginDrain();
  expect(await take(stream, 2)).toMatchObject([{ event: 'heartbeat', id: String(revision) }, null]);
  expect(await take(text, 2)).toEqual([`{"position":"${revision}"}`, null]);
  const late = await events(`?after=${revision}`, {}, draining);
  expect(await take(late, 2)).toMatchObject([{ event: 'heartbeat', id: String(revision) }, null]);
});
