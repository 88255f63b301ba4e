import { pino } from 'pino';
import { expect, test } from 'vitest';
import { startRetention } from '../../src/jobs/retention.js';
import { createInstances } from '../support/context.js';
import { countVersions, define, putAll } from '../support/retention.js';

/** A logger, and the first line that has this text. */
function listeningLogger(text: string) {
  let hear: (line: Record<string, unknown>) => void = () => {};
  const heard = new Promise<Record<string, unknown>>((resolve) => {
    hear = resolve;
  });
  const write = (line: string) => {
    if (line.includes(text)) hear(JSON.parse(line));
  };
  return { logger: pino({ level: 'info' }, { write }), heard };
}

const keys = Array.from({ length: 50 }, (_, index) => `k${index}`);

async function oldVersions() {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  await define(one, { retention: { keepVersions: 1 } });
  for (let n = 1; n <= 5; n += 1) await putAll(one, keys, { n });
  return { one, two };
}

test('two instances archive what has expired, each version once, and say so', async () => {
  const { one, two } = await oldVersions();
  const { logger, heard } = listeningLogger('retention removed old versions');
  const jobs = [one, two].map((context) =>
    startRetention(context, { intervalMinutes: 60, firstMs: 0, logger }),
  );
  expect(await heard).toMatchObject({
    operation: 'sweepRetention',
    collection: 'things',
    archived: 200,
    complete: true,
  });
  await Promise.all(jobs.map((job) => job.stop()));
  expect(await countVersions(one)).toEqual({ kept: 50, archived: 200, deleted: 0 });
});

test('a job that is stopped leaves nothing running, at whatever moment', async () => {
  const { one } = await oldVersions();
  const { logger } = listeningLogger('');
  for (const turns of [0, 1, 3, 10, 30]) {
    const job = startRetention(one, { intervalMinutes: 60, firstMs: 0, logger });
    for (let turn = 0; turn < turns; turn += 1) await one.db.query('SELECT 1');
    await job.stop();
    const [row] = await one.db.query(
      `SELECT count(*) AS count FROM pg_locks l JOIN pg_database d ON d.oid = l.database
       WHERE l.locktype = 'advisory' AND l.classid = 4718 AND d.datname = current_database()`,
    );
    expect(row).toEqual({ count: 0 });
  }
});

test('an interval of 0 is no job', async () => {
  const { one } = await oldVersions();
  const { logger } = listeningLogger('');
  await startRetention(one, { intervalMinutes: 0, firstMs: 0, logger }).stop();
  expect(await countVersions(one)).toMatchObject({ archived: 0 });
});
