import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measure } from '../load/measure.js';
import { KEYS, withClient } from '../records.js';
import type { Subject } from '../scenario.js';
import { findProgram } from './find-program.js';

// What the same PostgreSQL does without any service before it: pgbench, which comes with PostgreSQL, speaks to it
// directly with prepared statements.

const tables = `
  CREATE TABLE record (key integer PRIMARY KEY, version bigint, content text NOT NULL);
  CREATE TABLE version (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key integer NOT NULL, content text NOT NULL);
  INSERT INTO record SELECT key, 0, repeat('x', 450) FROM generate_series(1, ${KEYS}) AS key;`;

const transactions = {
  /** Reads one row by its key. */
  read: `
    \\set key random(1, ${KEYS})
    SELECT version, content FROM record WHERE key = :key;`,
  /** One row inserted, one changed, as by a commit at the least: two statements and a flush to the disk. */
  write: `
    \\set key random(1, ${KEYS})
    BEGIN;
    INSERT INTO version (key, content) VALUES (:key, repeat('y', 450));
    UPDATE record SET version = version + 1, content = repeat('y', 450) WHERE key = :key;
    COMMIT;`,
};

export interface Pgbench {
  stop(): Promise<void>;
  subject(kind: keyof typeof transactions, clients: number): Subject;
}

/** Makes its tables in this database; null when it is not installed. */
export async function preparePgbench(
  databaseUrl: string,
  postmaster: number | null,
): Promise<Pgbench | null> {
  const program = findProgram('pgbench');
  if (program === null) {
    return null;
  }
  await withClient(databaseUrl, async (client) => {
    await client.query(tables);
    await client.query('VACUUM ANALYZE');
  });
  const directory = await mkdtemp(join(tmpdir(), 'diptych-bench-pgbench-'));
  return {
    stop: () => rm(directory, { recursive: true, force: true }),
    subject: (kind, clients) => ({
      id: `pgbench-${kind}-${clients}`,
      name: `pgbench ${kind} at ${clients}, no service`,
      run: (seconds) =>
        measure({ postmaster }, async () => {
          const script = join(directory, `${kind}.sql`);
          await writeFile(script, transactions[kind]);
          const { output, rate } = await runUntilRate(program, databaseUrl, { script, clients, seconds });
          return {
            rate,
            wrong: Number(/number of failed transactions: (\d+)/.exec(output)?.[1] ?? 0),
          };
        }),
    }),
  };
}

interface Run {
  script: string;
  clients: number;
  seconds: number;
}

const SECONDS_MOST = 20;

/** The time counts in which its clients connect: a short run on a busy machine may be over before any of them asks. */
async function runUntilRate(
  program: string,
  url: string,
  run: Run,
): Promise<{ output: string; rate: number }> {
  for (let { seconds } = run; ; seconds = Math.max(2, seconds * 2)) {
    const output = await runPgbench(program, url, { ...run, seconds });
    const rate = /^tps = ([\d.]+)/m.exec(output)?.[1];
    if (rate !== undefined) {
      return { output, rate: Number(rate) };
    }
    if (seconds > SECONDS_MOST) {
      throw new Error(`pgbench told no rate: ${output.slice(-500)}`);
    }
  }
}

async function runPgbench(program: string, url: string, { script, clients, seconds }: Run): Promise<string> {
  const threads = Math.min(2, clients);
  const args = ['-n', '-M', 'prepared', '-f', script, '-c', clients, '-j', threads];
  const child = spawn(program, [...args, '-T', Math.max(1, Math.round(seconds)), url].map(String), {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  if (code !== 0) {
    throw new Error(`pgbench failed: ${output.slice(-500)}`);
  }
  return output;
}
