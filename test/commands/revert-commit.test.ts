import { expect, test } from 'vitest';
import { revertCommit } from '../../src/commands/revert-commit.js';
import { getRecord } from '../../src/queries/get-record.js';
import { listChangesToUndo } from '../../src/store/log.js';
import { auditStore } from '../support/audit.js';
import { ann, createInstance } from '../support/context.js';
import { collection, countVersions, define, putAll, retain } from '../support/retention.js';
import { observeStatements } from '../support/statements.js';

const mebibyte = 1024 * 1024;
const keys = Array.from({ length: 24 }, (_, at) => `k${at}`);
const text = (character: string) => character.repeat(mebibyte - 100);

/** The bound of a batch, and the record with which it is reached. */
const bound = 10 * mebibyte;

test.each([
  { what: 'kept', isArchived: false },
  { what: 'archived', isArchived: true },
])('a revert of large records whose versions are $what holds few of them at once', async ({ isArchived }) => {
  const context = await createInstance();
  await define(context, { retention: { keepVersions: 1 } });
  await putAll(context, keys, { text: text('a') });
  const revision = await putAll(context, keys, { text: text('b') });
  if (isArchived) await retain(context);
  expect(await countVersions(context)).toMatchObject({ archived: isArchived ? keys.length : 0 });

  const statements = observeStatements();
  const { result } = await revertCommit(context, { revision, dryRun: false, force: false, actor: ann });
  expect(result.changeCount).toBe(keys.length);
  const largest = (direction: 'sent' | 'received') =>
    Math.max(...statements.map((statement) => statement[direction]));
  expect(largest('received')).toBeLessThan(bound);
  expect(largest('sent')).toBeLessThan(bound);
  for (const key of keys) {
    const { record } = await getRecord(context, { collection, key, at: { type: 'head' } });
    expect(record.data.text === text('a')).toBe(true);
  }
  expect(await auditStore(context.db)).toEqual([]);
});

test('records that the commit created are read in as few batches as any others', async () => {
  const context = await createInstance();
  await define(context, {});
  const created = Array.from({ length: 300 }, (_, at) => `k${at}`);
  const revision = await putAll(context, created, {});
  expect(await listChangesToUndo(context.db, revision, 0, 300)).toHaveLength(300);
});
