// npm run bench:growth -- [--records 1000000] [--versions 10000] [--rounds 200] [--bytes 400] [--json growth.json]
//
// How the latency of each operation grows with what is stored: from 1,000 records of a collection to very many, and
// from one version of a record to very many. One service and one database with both sizes, one client that asks for
// the small and the large one in turn, so that whatever else the machine does hits both; medians of each. Without the
// cache of answers, which would keep all pages of a small collection and few of a large one: what is measured is how
// they are found. Both are asked for equally many different records and pages, so that as much of either is in the memory
// of the database: a page of records that lie scattered over a gigabyte takes as long as that takes to be read.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import pg from 'pg';
import { pino } from 'pino';
import { build } from '../build.mjs';
import { seedHistory, seedRecords } from './seed-records.mjs';
import { send, startService } from './service.mjs';

const { values: given } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    versions: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '200' },
    bytes: { type: 'string', default: '400' },
    json: { type: 'string' },
  },
});
const few = 1_000;
const sizes = { small: few, large: Number(given.records) };
/** A hundred records have the same price, so that a page of it is as long in both. */
const prices = { small: sizes.small / 100, large: sizes.large / 100 };
const depths = { shallow: 1, deep: Number(given.versions) };
const rounds = Number(given.rounds);
const bytes = Number(given.bytes);
/** Caches, plans and compiled code settle before anything counts. */
const warmUp = 30;
const target = 1.3;
/** The revision when everything was seeded. */
let seededHead = 0;

await build();
const { startEmbeddedPostgres } = await import('../../dist/store/embedded-postgres.js');
const directory = await mkdtemp(join(tmpdir(), 'diptych-growth-'));
const closers = [() => rm(directory, { recursive: true, force: true })];
try {
  await run();
} finally {
  for (const close of closers.reverse()) await close();
}

async function run() {
  const postgres = await startEmbeddedPostgres({ dataDir: directory, logger: pino({ level: 'silent' }) });
  closers.push(postgres.stop);
  const service = await startService(postgres.url, {
    directory,
    settings: { CACHE_MAX_BYTES: '0' },
    maxSockets: 1,
  });
  closers.push(service.stop);
  const call = (method, path, body) => send(service, method, path, body);
  await seed(postgres.url, call);

  const results = [];
  for (const { name, from, to, ask } of operations(call)) {
    const figures = await alternate(from, to, ask);
    results.push({ name, from, to, ...figures, growth: figures.large / figures.small });
  }
  print(results);
  if (given.json)
    await writeFile(given.json, `${JSON.stringify({ sizes, depths, rounds, bytes, results }, null, 2)}\n`);
}

/** What is measured: of which two things, and how each is asked for in its nth turn. */
function operations(call) {
  const of = (name) => `/v1/collections/${name}`;
  const keyIn = (name, n) => `r${String(1 + ((n * 7_919) % sizes[name])).padStart(8, '0')}`;
  // One of ten, from all over the index.
  const priceIn = (name, n) => ((n % 10) * prices[name]) / 10;
  const one = (name, n) => `${of(name)}/records/${keyIn(name, n)}`;
  const deep = (name) => `${of('history')}/records/${name}`;
  const records = { from: 'small', to: 'large' };
  const versions = { from: 'shallow', to: 'deep' };
  const list = (name, query) => ({
    name,
    ...records,
    ask: (which, n) => call('GET', `${of(which)}/records?limit=100&${query(which, n)}`),
  });
  /** A page in the middle is asked for by the cursor of a page that ends there. */
  const middle = (name, query) => {
    const cursors = {};
    const ask = async (which) => {
      cursors[which] ??= await cursorAt(call, `${of(which)}/records?${query}`, which);
      return await call('GET', `${of(which)}/records?limit=100&${query}&cursor=${cursors[which]}`);
    };
    return { name, ...records, ask };
  };
  const stage = (path, n) => call('PATCH', `${path}/pending`, { data: { name: 'staged', n } });
  const commit = (collection, key, n) => {
    const changes = [{ collection, key, operation: 'put', data: { name: 'committed', price: n % 10, n } }];
    return call('POST', '/v1/commits', { changes });
  };
  return [
    { name: 'get', ...records, ask: (which, n) => call('GET', one(which, n)) },
    { name: 'pending write', ...records, ask: (which, n) => stage(one(which, n + rounds * 2), n) },
    { name: 'commit', ...records, ask: (which, n) => commit(which, keyIn(which, n * 13), n) },
    list('list, first page', () => ''),
    middle('list, page in the middle', 'sort=key'),
    list('list, keyPrefix', (which, n) => `keyPrefix=${keyIn(which, n).slice(0, 7)}`),
    list('list, indexed filter', (which, n) => `filter%5Bprice%5D%5Beq%5D=${priceIn(which, n)}`),
    list(
      'list, indexed filter and sort',
      (which, n) => `filter%5Bprice%5D%5Bgte%5D=${priceIn(which, n)}&sort=price`,
    ),
    list('list, indexed sort', () => 'sort=-price'),
    middle('list, indexed sort, in the middle', 'sort=-price'),
    { name: 'get', ...versions, ask: (which) => call('GET', deep(which)) },
    {
      name: 'get of an earlier revision',
      ...versions,
      ask: (which) => call('GET', `${deep(which)}?revision=${seededHead}`),
    },
    { name: 'pending write', ...versions, ask: (which, n) => stage(deep(which), n) },
    { name: 'commit', ...versions, ask: (which, n) => commit('history', which, n) },
    { name: 'history page', ...versions, ask: (which) => call('GET', `${deep(which)}/versions?limit=20`) },
    { name: 'one version', ...versions, ask: (which) => call('GET', `${deep(which)}/versions/1`) },
  ];
}

async function cursorAt(call, url, which) {
  // Along the chain, in pages as large as there are.
  let cursor;
  for (let passed = 0; passed < sizes[which] / 2; passed += 1_000) {
    const page = await call(
      'GET',
      `${url}&limit=${Math.min(1_000, sizes[which] / 2)}${cursor ? `&cursor=${cursor}` : ''}`,
    );
    cursor = page.next;
  }
  return cursor;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

/** Medians of both, in milliseconds. */
async function alternate(from, to, ask) {
  const taken = { [from]: [], [to]: [] };
  for (let n = -warmUp; n < rounds; n += 1) {
    for (const which of n % 2 === 0 ? [from, to] : [to, from]) {
      const started = performance.now();
      await ask(which, n + warmUp);
      if (n >= 0) taken[which].push(performance.now() - started);
    }
  }
  return { small: median(taken[from]), large: median(taken[to]) };
}

async function seed(url, call) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  closers.push(() => client.end());
  for (const name of ['small', 'large', 'history'])
    await call('PUT', `/v1/collections/${name}`, { indexes: ['/price'] });
  await timed(`${few} records`, () =>
    seedRecords(client, { collection: 'small', records: sizes.small, bytes }),
  );
  await timed(`${sizes.large} records`, () =>
    seedRecords(client, { collection: 'large', records: sizes.large, bytes }),
  );
  for (const [key, versions] of Object.entries(depths))
    await timed(`${versions} versions`, () =>
      seedHistory(client, { collection: 'history', key, versions, bytes }),
    );
  await timed('indexes', async () => {
    for (const name of ['small', 'large', 'history'])
      while ((await call('GET', `/v1/collections/${name}`)).indexes[0].state !== 'ready') await pause(500);
  });
  await client.query('VACUUM (ANALYZE) index_entry');
  seededHead = Number((await client.query('SELECT revision FROM head')).rows[0].revision);
}

async function timed(what, work) {
  const started = performance.now();
  await work();
  console.log(`${what}: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
}

function print(results) {
  const table = new Table({ head: ['operation', 'from', 'to', 'median from', 'median to', 'growth'] });
  const sizeOf = (name) => (sizes[name] ? `${sizes[name]} records` : `${depths[name]} versions`);
  for (const { name, from, to, small, large, growth } of results) {
    const mark = growth < target ? '' : ` > ${target}`;
    table.push([
      name,
      sizeOf(from),
      sizeOf(to),
      `${small.toFixed(2)} ms`,
      `${large.toFixed(2)} ms`,
      growth.toFixed(2) + mark,
    ]);
  }
  console.log(table.toString());
}
