// Measures a large changeset over HTTP, on a service and a database of its own: staging, validating, committing
// and reverting it, and how long small commits have to wait beside that. Usage: npm run bench:changesets [members]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from '../build.mjs';

const members = Number(process.argv[2] ?? 10_000);
const rounds = Number(process.argv[3] ?? 5);
const collection = 'items';

await build();
const directory = await mkdtemp(join(tmpdir(), 'diptych-bench-'));
const service = await startService();
try {
  await run(service.url);
} finally {
  service.child.kill('SIGTERM');
  await once(service.child, 'exit');
  await rm(directory, { recursive: true, force: true });
}

async function startService() {
  const env = {
    ...process.env,
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: join(directory, 'data'),
    LOG_FORMAT: 'json',
  };
  for (const name of ['DATABASE_URL', 'AUTH_TOKENS', 'PUBLIC_URL']) delete env[name];
  const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
  const child = spawn(process.execPath, [main], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('the service ended before it listened')));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /API (http:\/\/[^/"\s]+)\/v1/.exec(line);
      if (found) resolve(found[1]);
    });
  });
  return { child, url };
}

async function run(url) {
  const call = async (method, path, { body, headers = {}, type = 'application/json' } = {}) => {
    const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
    const response = await fetch(url + path, {
      method,
      headers: text === undefined ? headers : { 'content-type': type, ...headers },
      body: text,
    });
    const answer = await response.json();
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer).slice(0, 500)}`);
    return answer;
  };
  const definition = {
    schema: {
      type: 'object',
      required: ['name', 'entries'],
      properties: {
        name: { type: 'string' },
        entries: { type: 'array', items: { type: 'object', properties: { n: { type: 'number' } } } },
      },
    },
    rules: [{ id: 'named', assert: 'size(data.name) > 0', message: 'Needs a name.' }],
  };
  await call('PUT', `/v1/collections/${collection}`, { body: definition });
  await call('PUT', '/v1/collections/side', { body: {} });
  const figures = {
    stage: [],
    validate: [],
    commit: [],
    'commits beside it waited': [],
    revert: [],
    'beside the revert': [],
  };
  for (let round = 0; round < rounds; round += 1) {
    const { id } = await call('POST', '/v1/changesets', { body: { title: `Round ${round}` } });
    const path = `/v1/changesets/${id}`;
    const lines = Array.from({ length: members }, (_, index) => JSON.stringify(lineOf(index, round))).join(
      '\n',
    );
    const stage = () => call('POST', `${path}/stage`, { body: lines, type: 'application/x-ndjson' });
    figures.stage.push(await timed(stage, ({ staged }) => staged));
    const report = await timedAnswer(figures.validate, () => call('POST', `${path}/validate`));
    const commit = () => call('POST', `${path}/commit`, { body: { receipt: report.receipt } });
    const committed = await beside(call, commit, figures.commit, figures['commits beside it waited']);
    const revert = () => call('POST', `/v1/commits/${committed.revision}/revert`);
    await beside(call, revert, figures.revert, figures['beside the revert']);
  }
  print(figures);
}

function lineOf(index, round) {
  const entries = Array.from({ length: 18 }, (_, n) => ({
    n,
    text: `entry ${n} of ${index}, with some more text`,
  }));
  const data = { name: `Item ${index} as of ${round}`, entries: entries.slice(0, 16) };
  return { collection, key: `item-${String(index).padStart(7, '0')}`, operation: 'put', data };
}

async function timed(work, countOf) {
  const started = performance.now();
  const count = countOf(await work());
  if (count !== members) throw new Error(`${count} members in place of ${members}`);
  return performance.now() - started;
}

async function timedAnswer(into, work) {
  const started = performance.now();
  const answer = await work();
  into.push(performance.now() - started);
  return answer;
}

/** Runs `work` while one client makes small commits, one after the other; notes the longest that any took. */
async function beside(call, work, durations, waits) {
  let done = false;
  let longest = 0;
  const client = (async () => {
    for (let n = 0; !done; n += 1) {
      const started = performance.now();
      const changes = [{ collection: 'side', key: 'k', operation: 'put', data: { n, at: Date.now() } }];
      await call('POST', '/v1/commits', { body: { changes } });
      longest = Math.max(longest, performance.now() - started);
    }
  })();
  try {
    return await timedAnswer(durations, work);
  } finally {
    done = true;
    await client;
    waits.push(longest);
  }
}

function print(figures) {
  console.log(`${members} members of about 1 kB, ${rounds} rounds, milliseconds`);
  for (const [name, values] of Object.entries(figures)) {
    const sorted = values.map(Math.round).sort((a, b) => a - b);
    console.log(
      `${name.padEnd(26)} median ${String(sorted[sorted.length >> 1]).padStart(6)}   ${sorted.join(' ')}`,
    );
  }
}
