import { expect, test, vi } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { validateChangeset } from '../../src/commands/validate-changeset.js';
import { getRecord } from '../../src/queries/get-record.js';
import { auditStore } from '../support/audit.js';
import { ann, createInstance } from '../support/context.js';
import { commitWhole, define, openChangeset, receiptOf, stageMember } from '../support/release.js';

const collection = 'pages';
const member = (n: number) => ({ collection, key: 'a', data: { n } });

/** A changeset with one member, and what tells whether its members have been read. */
async function start() {
  const context = await createInstance();
  await define(context, collection);
  const id = await openChangeset(context, [member(1)]);
  const reading = vi.spyOn(context.longWork, 'run');
  const liveData = async () =>
    (await getRecord(context, { collection, key: 'a', at: { type: 'head' } })).record.data;
  return { context, id, reading, liveData };
}

test('a changeset that has been found valid is committed without being read again', async () => {
  const { context, id, reading, liveData } = await start();
  const receipt = await receiptOf(context, id);
  expect(reading).toHaveBeenCalledTimes(1);
  await commitWhole(context, id, receipt);
  expect(reading).toHaveBeenCalledTimes(1);
  expect(await liveData()).toEqual({ n: 1 });
  expect(await auditStore(context.db)).toEqual([]);
});

test('one that has been edited since is committed as it is', async () => {
  const { context, id, reading, liveData } = await start();
  await receiptOf(context, id);
  await stageMember(context, id, member(2), { replace: true });
  await commitWhole(context, id);
  expect(reading).toHaveBeenCalledTimes(2);
  expect(await liveData()).toEqual({ n: 2 });
});

test('one whose definition is another one since is judged by that', async () => {
  const { context, id } = await start();
  await receiptOf(context, id);
  const strict = { schema: { properties: { n: { minimum: 2 } } } };
  await define(context, collection, strict, { ifMatch: { any: true } });
  await expect(commitWhole(context, id)).rejects.toMatchObject({ code: 'validation-failed' });
});

test('one whose record has moved since is refused', async () => {
  const { context, id } = await start();
  await receiptOf(context, id);
  const change = { collection, key: 'a', operation: 'put' as const, data: { n: 9 } };
  await commitChanges(context, { changes: [change], dryRun: false, actor: ann });
  await expect(commitWhole(context, id)).rejects.toMatchObject({ code: 'base-outdated' });
});

test('one that tells of another validation is read again, as after a restore of the database', async () => {
  const { context, id, reading, liveData } = await start();
  await receiptOf(context, id);
  await context.db.query(
    `UPDATE changeset SET validation = validation || '{"at":"2001-01-01T00:00:00.000Z"}' WHERE id = $1`,
    [id],
  );
  await commitWhole(context, id);
  expect(reading).toHaveBeenCalledTimes(2);
  expect(await liveData()).toEqual({ n: 1 });
});

test('one that is invalid is read again', async () => {
  const { context, id, reading } = await start();
  await define(context, 'strict', { schema: { required: ['n'] } });
  await stageMember(context, id, { collection: 'strict', key: 'b', data: {} });
  expect((await validateChangeset(context, { id })).report.valid).toBe(false);
  await expect(commitWhole(context, id)).rejects.toMatchObject({ code: 'validation-failed' });
  expect(reading).toHaveBeenCalledTimes(2);
});
