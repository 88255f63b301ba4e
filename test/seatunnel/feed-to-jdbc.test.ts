import { expect, test } from 'vitest';
import { size } from '../support/size.js';
import { type Live, name } from './support/history.js';
import { type Job, startJob } from './support/job.js';
import { startService, workDirectory } from './support/service.js';
import { startTarget, type Target } from './support/target.js';
import { Writers } from './support/writers.js';

const seed = Number(process.env.SEED ?? Date.now() % 100_000);
/** A third of it is less than a page of changes, and more than a page of rows: the job must not take that for a full one. */
const work = { commits: size(960, 10_000), ofSeveral: size(90, 500), seed };

test(`feed → Jdbc: the copy is equal to what is committed, though its job is killed in the middle (seed ${seed})`, async () => {
  const service = await startService();
  const collections = ['products', 'tax-rules'];
  for (const collection of collections) await service.send('PUT', `/v1/collections/${collection}`, {});
  const target = await startTarget('feed-to-jdbc/target.sql', 'record_copy');
  await noteSteps(target);
  const directory = await workDirectory();
  const follow = () =>
    startJob({
      version: '2.3.8',
      file: 'feed-to-jdbc/job.conf',
      directory,
      settings: { DIPTYCH_URL: service.url, ...target.settings },
    });

  const writers = new Writers(service, { ...work, collections });
  await writers.run(1, 3);
  const { last } = writers.history;
  const first = follow();
  await target.until(async () => (await arrived(target)) === last, first);
  const second = writers.run(1, 3);
  await target.until(async () => (await arrived(target)) > last, first);
  await first.kill();
  console.log(
    `killed: ${writers.history.size} commits were made, the last that arrived is ${await arrived(target)}`,
  );
  const again = follow();
  await second;
  await writers.run(1, 3);
  await expectCopy(target, again, writers);
});

/** Notes every row that takes a record back to an earlier state, as a reader that begins again might. */
async function noteSteps({ client }: Target): Promise<void> {
  await client.query(`
    CREATE TABLE step_back (LIKE record_copy);
    CREATE FUNCTION note_step_back() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO step_back VALUES (NEW.*); RETURN NULL; END $$;
    CREATE TRIGGER note_step_back AFTER UPDATE ON record_copy FOR EACH ROW
      WHEN (NEW.seq <= OLD.seq) EXECUTE FUNCTION note_step_back()`);
}

async function arrived({ client }: Target): Promise<number> {
  const { rows } = await client.query('SELECT coalesce(max(revision), 0)::int AS revision FROM record_copy');
  return rows[0].revision;
}

/** The rows arrive in order, so everything has arrived with the last commit. Then all of it is compared. */
async function expectCopy(target: Target, job: Job, { history }: Writers): Promise<void> {
  const live = history.live();
  await target.until(async () => (await arrived(target)) === history.last, job);
  const { rows } = await target.client.query(
    'SELECT collection, record_key, version::int, revision::int, committed_at, payload FROM live_record',
  );
  const copy = new Map(
    rows.map(({ record_key: key, payload: data, committed_at: time, ...row }) => {
      const record: Live = { ...row, key, data, committedAt: time.toISOString() };
      return [name(record), record];
    }),
  );
  expect((await target.client.query('SELECT * FROM step_back')).rows).toEqual([]);
  expect(copy.size).toBe(live.size);
  for (const [id, record] of live) expect(copy.get(id)).toEqual(record);
  console.log(`${history.summary()}: all equal`);
}
