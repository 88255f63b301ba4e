import { expect, onTestFinished, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { type Context, createContext } from '../../src/commands/context.js';
import { createChangeset } from '../../src/commands/create-changeset.js';
import { sweepRetention } from '../../src/commands/sweep-retention.js';
import { validateChangeset } from '../../src/commands/validate-changeset.js';
import { getRecord } from '../../src/queries/get-record.js';
import { ann, createInstances } from '../support/context.js';
import { collection, define, putAll, restless } from '../support/retention.js';

const maxRecordBytes = 1024 * 1024;

/** Two instances, and a table that lets no validation come to its end until it is let go. */
async function withSlowValidations(poolSize: number) {
  const [one, two] = await createInstances(2, { poolSize });
  if (!one || !two) throw new Error('two instances are needed');
  await define(one, {});
  const { changeset } = await createChangeset(one, { title: 'A release', actor: ann });
  const client = await two.db.pool.connect();
  await client.query('BEGIN; LOCK TABLE approval IN ACCESS EXCLUSIVE MODE');
  let held = true;
  const release = async () => {
    if (!held) return;
    held = false;
    await client.query('ROLLBACK');
    client.release();
  };
  onTestFinished(release);
  const untilOneIsAtIt = async () => {
    const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    while ((await two.db.query(waiting)).length === 0);
  };
  const validate = (context: Context) => validateChangeset(context, { id: changeset.id });
  return { one, validate, untilOneIsAtIt, release };
}

test.each([4, 6])(
  'reads and commits go on beside ten slow validations, in a pool of %i',
  async (poolSize) => {
    const { one, validate, untilOneIsAtIt, release } = await withSlowValidations(poolSize);
    const validations = Array.from({ length: 10 }, () => validate(one));
    await untilOneIsAtIt();
    const change = { collection, key: 'a', operation: 'put' as const, data: { n: 1 } };
    await commitChanges(one, { changes: [change], dryRun: false, actor: ann });
    const { record } = await getRecord(one, { collection, key: 'a', at: { type: 'head' } });
    expect(record.data).toEqual({ n: 1 });
    await release();
    for (const { report } of await Promise.all(validations)) expect(report.valid).toBe(true);
  },
);

test('long work that finds no place in time is refused, and told when to come back', async () => {
  const { one, validate, untilOneIsAtIt, release } = await withSlowValidations(4);
  const impatient = createContext(one.db, { maxRecordBytes, maxWaitMs: 1 });
  const first = validate(impatient);
  await untilOneIsAtIt();
  await expect(validate(impatient)).rejects.toMatchObject({
    code: 'not-ready',
    options: { retryAfterSeconds: 5 },
  });
  await release();
  expect((await first).report.valid).toBe(true);
  expect((await validate(impatient)).report.valid).toBe(true);
});

test('a sweep of retention gives its connection back after each collection', async () => {
  const [one] = await createInstances(1);
  if (!one) throw new Error('an instance is needed');
  const names = ['first', 'second', 'third'];
  for (const name of names) {
    await define(one, { retention: { keepVersions: 1 } }, name);
    for (const n of [1, 2]) await putAll(one, ['a'], { n }, name);
  }
  let given = 0;
  one.db.pool.on('release', () => {
    given += 1;
  });
  expect(await sweepRetention(one, restless)).toHaveLength(3);
  expect(given).toBeGreaterThanOrEqual(3);
});
