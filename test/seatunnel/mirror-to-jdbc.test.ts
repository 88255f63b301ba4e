import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { size } from '../support/size.js';
import { type Live, name } from './support/history.js';
import { type Job, startJob } from './support/job.js';
import { type Service, startService, workDirectory } from './support/service.js';
import { startTarget, type Target } from './support/target.js';
import { Writers } from './support/writers.js';

const seed = Number(process.env.SEED ?? Date.now() % 100_000);
const work = { commits: size(300, 10_000), ofSeveral: size(30, 500), seed };

test(`Postgres-CDC → Jdbc: the table is equal to what is committed, though its job is killed in the middle (seed ${seed})`, async () => {
  const service = await startService();
  await service.send('PUT', '/v1/collections/products', { mirror: true });
  const target = await startTarget('mirror-to-jdbc/target.sql', 'products');
  const directory = await workDirectory();
  const settings = { ...(await mirrorSettings(service)), ...target.settings };
  const follow = (restore?: string) =>
    startJob({
      version: '2.3.4',
      file: 'mirror-to-jdbc/job.conf',
      directory,
      settings,
      ...(restore === undefined ? {} : { restore }),
    });

  const writers = new Writers(service, { ...work, collections: ['products'] });
  await writers.run(1, 3);
  const { last } = writers.history;
  const first = follow();
  await target.until(async () => (await arrived(target)) === last, first);
  const second = writers.run(1, 3);
  await target.until(async () => (await arrived(target)) > last, first);
  const id = await first.id();
  await first.kill();
  console.log(
    `killed: ${writers.history.size} commits were made, the last that arrived is ${await arrived(target)}`,
  );
  const again = follow(id);
  await second;
  await writers.run(1, 3);
  await expectTable(target, again, writers);
});

async function arrived({ client }: Target): Promise<number> {
  const { rows } = await client.query('SELECT coalesce(max(revision), 0)::int AS revision FROM products');
  return rows[0].revision;
}

/** The last commit has arrived, and, which the sink sends after it, the deletions before it. */
async function expectTable({ client, until }: Target, job: Job, { history }: Writers): Promise<void> {
  const live = history.live();
  const isThere = async () => {
    const { rows } = await client.query(
      'SELECT max(revision)::int AS last, count(*)::int AS size FROM products',
    );
    return rows[0].last === history.last && rows[0].size === live.size;
  };
  await until(isThere, job);
  const { rows } = await client.query(
    'SELECT key, version::int, revision::int, committed_at, data FROM products',
  );
  const table = new Map(
    rows.map(({ data, committed_at: time, ...row }) => {
      const record: Live = {
        ...row,
        collection: 'products',
        data: JSON.parse(data),
        committedAt: time.toISOString(),
      };
      return [name(record), record];
    }),
  );
  for (const [id, record] of live) expect(table.get(id)).toEqual(record);
  console.log(`${history.summary()}: all equal`);
}

/** Where the mirror is: in the PostgreSQL that the service brings. */
async function mirrorSettings({ dataDir }: Service): Promise<Record<string, string>> {
  const home = join(dataDir, 'postgres');
  const port = (await readFile(join(home, 'data', 'postmaster.pid'), 'utf8')).split('\n')[3];
  return {
    MIRROR_URL: `jdbc:postgresql://127.0.0.1:${port}/diptych`,
    MIRROR_USER: 'diptych',
    MIRROR_PASSWORD: (await readFile(join(home, 'password'), 'utf8')).trim(),
  };
}
