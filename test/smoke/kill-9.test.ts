import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/store/db.js';
import { auditStore } from '../support/audit.js';
import { postmasterPid, temporaryDirectory } from '../support/embedded.js';
import { type Program, root, startProgram } from '../support/program.js';
import { randomFrom } from '../support/random.js';
import { size } from '../support/size.js';

const kills = size(3, 20);
const clients = 12;
/** A round with fewer acknowledged commits than this proves nothing. */
const minAcknowledged = 40;
const seed = Number(process.env.SEED ?? Date.now() % 100_000);

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['scripts/build.mjs'], { cwd: root });
});

/** A pair of records that one commit sets to n and -n: half a commit would show. */
interface Commit {
  key: string;
  pair: string;
  n: number;
  revision: number | null;
}

const json = { 'content-type': 'application/json' };

const bodyOf = ({ pair, n }: Commit) =>
  JSON.stringify({
    changes: [
      { collection: 'pairs', key: `${pair}-left`, operation: 'put', data: { n } },
      { collection: 'pairs', key: `${pair}-right`, operation: 'put', data: { n: -n } },
    ],
  });

async function send(baseUrl: string, commit: Commit): Promise<{ status: number; revision: number }> {
  const response = await fetch(`${baseUrl}/v1/commits`, {
    method: 'POST',
    headers: { ...json, 'idempotency-key': commit.key },
    body: bodyOf(commit),
  });
  const body = (await response.json()) as { revision: number };
  return { status: response.status, revision: body.revision };
}

/** Writes from many clients until the service is gone; `acknowledged` is told of each commit that was answered. */
async function load(
  baseUrl: string,
  round: number,
  history: Commit[],
  acknowledged: () => void,
): Promise<void> {
  const write = async (client: number) => {
    for (let turn = 0; ; turn += 1) {
      const commit: Commit = {
        key: randomUUID(),
        pair: `pair-${client}`,
        n: round * 1_000_000 + turn + 1,
        revision: null,
      };
      history.push(commit);
      try {
        const { status, revision } = await send(baseUrl, commit);
        expect(status).toBe(200);
        commit.revision = revision;
        acknowledged();
      } catch (error) {
        // The connection broke: the outcome is unknown until it is asked for.
        if (error instanceof TypeError || error instanceof SyntaxError) return;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => write(client)));
}

async function kill(program: Program, dataDir: string, withDatabase: boolean): Promise<void> {
  const postmaster = await postmasterPid(dataDir);
  program.child.kill('SIGKILL');
  if (withDatabase) process.kill(-postmaster, 'SIGKILL');
  await program.exit();
}

async function databaseUrl(dataDir: string): Promise<string> {
  const home = join(dataDir, 'postgres');
  const password = (await readFile(join(home, 'password'), 'utf8')).trim();
  const port = (await readFile(join(home, 'data', 'postmaster.pid'), 'utf8')).split('\n')[3];
  return `postgresql://diptych:${password}@127.0.0.1:${port}/diptych`;
}

/** What the store says of the commits: acknowledged ones that are not there, halves, and everything unsound. */
async function findLosses(url: string, history: Commit[]): Promise<string[]> {
  const db = openDatabase({ url, poolSize: 2 });
  try {
    const rows = await db.query<{ revision: number; key: string; n: number }>(
      `SELECT h.revision, r.key, (v.content::jsonb ->> 'n')::float8 AS n FROM change h
       JOIN record r ON r.id = h.record_id JOIN version v ON v.id = h.after_version_id`,
    );
    const stored = new Map(rows.map((row) => [`${row.revision} ${row.key}`, row.n]));
    const lost = history.flatMap(({ pair, n, revision }) =>
      revision !== null &&
      (stored.get(`${revision} ${pair}-left`) !== n || stored.get(`${revision} ${pair}-right`) !== -n)
        ? [`${pair} = ${n} was acknowledged as revision ${revision}`]
        : [],
    );
    const halves = await db.query<{ revision: number }>(
      `SELECT h.revision FROM change h JOIN version v ON v.id = h.after_version_id GROUP BY h.revision HAVING sum((v.content::jsonb ->> 'n')::float8) <> 0`,
    );
    return [
      ...lost,
      ...halves.map(({ revision }) => `revision ${revision} is half there`),
      ...(await auditStore(db)),
    ];
  } finally {
    await db.close();
  }
}

/** Asks for every unknown outcome, and repeats the request: it has had one effect, whichever way it went. */
async function settleUnknown(baseUrl: string, history: Commit[]): Promise<number> {
  const unknown = history.filter((commit) => commit.revision === null);
  for (const commit of unknown) {
    const asked = (await (await fetch(`${baseUrl}/v1/commits?idempotencyKey=${commit.key}`)).json()) as {
      items: { revision: number }[];
    };
    const { status, revision } = await send(baseUrl, commit);
    expect(status).toBe(200);
    const before = asked.items[0]?.revision;
    if (before !== undefined) expect(revision).toBe(before);
    commit.revision = revision;
  }
  return unknown.length;
}

describe(`kill -9 under write load (seed ${seed})`, () => {
  test('keeps every acknowledged commit, halves none, and becomes ready again', {
    timeout: 900_000,
  }, async () => {
    const random = randomFrom(seed);
    const dataDir = await temporaryDirectory();
    const history: Commit[] = [];
    const readyMs: number[] = [];
    let unknown = 0;
    let program = startProgram({ DATA_DIR: dataDir, LOG_LEVEL: 'info' });
    let baseUrl = await program.ready();
    await fetch(`${baseUrl}/v1/collections/pairs`, { method: 'PUT', headers: json, body: '{}' });
    for (let round = 1; round <= kills; round += 1) {
      const killAfter = minAcknowledged + random.below(400);
      let acknowledged = 0;
      let killed: Promise<void> | undefined;
      await load(baseUrl, round, history, () => {
        acknowledged += 1;
        if (acknowledged === killAfter) killed = kill(program, dataDir, round % 2 === 0);
      });
      await killed;
      expect(acknowledged).toBeGreaterThanOrEqual(minAcknowledged);

      const started = performance.now();
      program = startProgram({ DATA_DIR: dataDir });
      baseUrl = await program.ready();
      expect((await fetch(`${baseUrl}/readyz`)).status).toBe(200);
      readyMs.push(Math.round(performance.now() - started));
      expect(await findLosses(await databaseUrl(dataDir), history)).toEqual([]);
      unknown += await settleUnknown(baseUrl, history);
      expect(await findLosses(await databaseUrl(dataDir), history)).toEqual([]);
    }
    console.log(
      `${kills} kills, ${history.length} commits, ${unknown} of unknown outcome, ready again after ${readyMs.join(', ')} ms`,
    );

    // The control: the checker misses neither an acknowledged commit that is not there nor a wrong one.
    const invented: Commit = { key: '', pair: 'pair-0', n: 7, revision: 999_999 };
    expect(await findLosses(await databaseUrl(dataDir), [invented])).toHaveLength(1);
  });
});
