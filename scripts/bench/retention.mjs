// npm run bench:retention -- [--versions 1000000] [--shape deep|wide] [--on-expire delete|archive] [--seconds 20]
//                            [--rate 100] [--bytes 512] [--pairs 0]
//
// Removes that many expired versions beside a steady load of commits, on a service of its own with its own
// PostgreSQL. Windows with and without retention follow each other in one run, so that whatever else the machine
// does hits both. Commits are started by the clock, not by the answers, and timed from when they were due: a
// stall counts for everybody who would have come meanwhile.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import pg from 'pg';
import { pino } from 'pino';
import { build } from '../build.mjs';
import { seedVersions, shapeOf } from './seed-versions.mjs';
import { send, startService } from './service.mjs';

const { values: given } = parseArgs({
  options: {
    versions: { type: 'string', default: '1000000' },
    shape: { type: 'string', default: 'deep' },
    'on-expire': { type: 'string', default: 'delete' },
    seconds: { type: 'string', default: '20' },
    rate: { type: 'string', default: '100' },
    bytes: { type: 'string', default: '512' },
    // 0: until everything has gone.
    pairs: { type: 'string', default: '0' },
  },
});
const versions = Number(given.versions);
const seconds = Number(given.seconds);
const rate = Number(given.rate);
const pairs = Number(given.pairs) || Number.POSITIVE_INFINITY;
const COLLECTION = 'bench';
const WRITTEN_KEYS = 500;
const WARM_UP_SECONDS = 5;

await build();
const { startEmbeddedPostgres } = await import('../../dist/store/embedded-postgres.js');
const directory = await mkdtemp(join(tmpdir(), 'diptych-bench-'));
const closers = [() => rm(directory, { recursive: true, force: true })];
async function run() {
  const postgres = await startEmbeddedPostgres({ dataDir: directory, logger: pino({ level: 'silent' }) });
  closers.push(postgres.stop);
  const service = await startService(postgres.url, { directory });
  closers.push(service.stop);
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  closers.push(() => client.end());

  const definition = { retention: { keepVersions: 1, onExpire: given['on-expire'] } };
  await call('PUT', `/v1/collections/${COLLECTION}`, definition);
  const shape = shapeOf(given.shape, versions);
  say(`Seeding ${shape.records} records x ${shape.perRecord} versions of ${given.bytes} bytes …`);
  await seedVersions(client, {
    ...shape,
    collection: COLLECTION,
    bytes: Number(given.bytes),
    onProgress: (part) => process.stderr.isTTY && process.stderr.write(`\r${Math.round(part * 100)} % `),
  });
  const before = await measureStore(client);
  say(`${before.expirable} expired versions; the table has ${before.size}.`);

  await commitSteadily(WARM_UP_SECONDS);
  const windows = [];
  let removed = 0;
  let workingMs = 0;
  for (let isComplete = false; windows.length < pairs && !isComplete; ) {
    const without = await commitSteadily(seconds);
    const start = performance.now();
    const retention = runRetention(start + seconds * 1_000);
    const beside = await commitSteadily(seconds);
    const done = await retention;
    workingMs += done.endedAt - start;
    removed += done.removed;
    isComplete = done.isComplete;
    // A window in the middle of which retention came to its end would count quiet time as time beside it.
    if (!isComplete || windows.length === 0) windows.push({ without, beside, removed: done.removed });
  }
  const after = await measureStore(client);
  report(windows);
  say(
    `${removed} versions removed in ${(workingMs / 1_000).toFixed(0)} s beside ${rate} commits/s: ${Math.round(removed / (workingMs / 1_000))} per second; ${after.expirable} of the seeded left.`,
  );

  async function runRetention(until) {
    let removedHere = 0;
    for (;;) {
      const result = await call('POST', `/v1/collections/${COLLECTION}/retention/run`, {});
      removedHere += result.archived + result.deleted;
      const endedAt = performance.now();
      if (result.complete || endedAt >= until)
        return { removed: removedHere, isComplete: result.complete, endedAt };
    }
  }

  /** Latencies, in milliseconds, of commits that are due at a steady rate. */
  async function commitSteadily(forSeconds) {
    const latencies = [];
    const inFlight = [];
    const start = performance.now();
    for (let turn = 0; turn < forSeconds * rate; turn += 1) {
      const due = start + (turn * 1_000) / rate;
      const wait = due - performance.now();
      if (wait > 0) await pause(wait);
      const key = `w${Math.floor(Math.random() * WRITTEN_KEYS)}`;
      const data = { n: Math.random(), text: 'x'.repeat(Number(given.bytes)) };
      const changes = [{ collection: COLLECTION, key, operation: 'put', data }];
      inFlight.push(
        call('POST', '/v1/commits', { changes }).then(() => latencies.push(performance.now() - due)),
      );
    }
    await Promise.all(inFlight);
    return latencies;
  }

  function call(method, path, body) {
    return send(service, method, path, body);
  }
}

const sortedOf = (latencies) => [...latencies].sort((a, b) => a - b);
const percentile = (latencies, part) =>
  sortedOf(latencies)[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] ?? Number.NaN;
const inMs = (value) => `${value.toFixed(2)} ms`;
const inPercent = (a, b) => `${b >= a ? '+' : ''}${((b / a - 1) * 100).toFixed(1)} %`;

function report(windows) {
  const table = new Table({
    head: ['window', 'p50 without', 'p50 with', 'change', 'p99 without', 'p99 with', 'change', 'removed'],
  });
  const line = (name, { without, beside, removed }) => [
    name,
    inMs(percentile(without, 0.5)),
    inMs(percentile(beside, 0.5)),
    inPercent(percentile(without, 0.5), percentile(beside, 0.5)),
    inMs(percentile(without, 0.99)),
    inMs(percentile(beside, 0.99)),
    inPercent(percentile(without, 0.99), percentile(beside, 0.99)),
    removed,
  ];
  for (const [index, pair] of windows.entries()) table.push(line(index + 1, pair));
  const all = {
    without: windows.flatMap((pair) => pair.without),
    beside: windows.flatMap((pair) => pair.beside),
    removed: windows.reduce((sum, pair) => sum + pair.removed, 0),
  };
  table.push(line('all', all));
  say(table.toString());
}

async function measureStore(client) {
  const { rows } = await client.query(
    `SELECT (SELECT count(*) FROM version v JOIN record r ON r.id = v.record_id
             WHERE r.key LIKE 'r%' AND v.content IS NOT NULL AND v.id <> r.current_version_id) AS expirable,
            pg_size_pretty(pg_total_relation_size('version')) AS size`,
  );
  return rows[0];
}

function say(text) {
  console.log(text);
}

try {
  await run();
} finally {
  for (const close of closers.reverse()) await close();
}
