import { expect, test } from 'vitest';
import type { Context } from '../../src/commands/context.js';
import { rebaseChangeset } from '../../src/commands/rebase-changeset.js';
import { lockOpenChangeset } from '../../src/commands/steps/lock-changeset.js';
import { rebaseMembers } from '../../src/commands/steps/rebase-members.js';
import { type Executor, type Tx, withTransaction } from '../../src/store/db.js';
import { expireVersions, moveHorizon } from '../../src/store/retention.js';
import { auditStore } from '../support/audit.js';
import { ann, createInstances } from '../support/context.js';
import { commitWhole, openChangeset } from '../support/release.js';
import { collection, countVersions, define, putAll, retain } from '../support/retention.js';

const key = 'k';

/** Two instances, and a changeset whose member was started from version 1 of a record that is at version 2. */
async function outdatedMember(): Promise<{ one: Context; two: Context; id: string }> {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  await define(one, { retention: { keepVersions: 1, onExpire: 'delete' } });
  await putAll(one, [key], { n: 1 });
  const id = await openChangeset(one, [{ collection, key, data: { n: 1, staged: true } }]);
  await putAll(one, [key], { n: 2 });
  return { one, two, id };
}

const rebase = (context: Context, id: string) =>
  rebaseChangeset(context, { id, resolutions: [], precondition: {}, actor: ann });

const contentOf = async ({ db }: Context, id: string) =>
  await db.query(
    `SELECT v.content, b.number AS base FROM version v JOIN version b ON b.id = v.base_version_id
     WHERE v.changeset_id = $1 AND v.revision IS NULL`,
    [id],
  );

/** On the pool: within a transaction the view of activity stays as it was first seen. */
async function untilWaiting(executor: Executor): Promise<void> {
  const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
  while ((await executor.query(waiting)).length === 0);
}

async function currentVersion(executor: Executor): Promise<number> {
  const [row] = await executor.query<{ id: number }>(
    `SELECT current_version_id AS id FROM record WHERE key = $1`,
    [key],
  );
  if (row === undefined) throw new Error('no such record');
  return row.id;
}

test('what a rebase has read as current stays, though it is replaced before the rebase writes', async () => {
  const { one, two, id } = await outdatedMember();
  const { rebasing } = await withTransaction(one.db, async (tx) => {
    // Holds the rebase between reading and writing.
    await tx.query(`SELECT FROM version WHERE changeset_id = $1 FOR UPDATE`, [id]);
    const running = rebase(two, id);
    await untilWaiting(one.db);
    await putAll(one, [key], { n: 3 });
    expect(await retain(one)).toMatchObject({ deleted: 0, complete: true });
    return { rebasing: running };
  });
  expect((await rebasing).result.rebased).toBe(1);
  expect(await contentOf(one, id)).toEqual([{ content: '{"n":2,"staged":true}', base: 2 }]);
  expect(await retain(one)).toMatchObject({ deleted: 1 });
  expect((await rebase(one, id)).result.rebased).toBe(1);
  expect(await contentOf(one, id)).toEqual([{ content: '{"n":3,"staged":true}', base: 3 }]);
  await commitWhole(one, id);
  expect(await auditStore(one.db)).toEqual([]);
});

test('retention beside a rebase that has written and not ended passes over what is to be the base', async () => {
  const { one, two, id } = await outdatedMember();
  await withTransaction(two.db, async (tx) => {
    await lockOpenChangeset(tx, id);
    expect((await rebaseMembers(tx, two, { id, resolutions: [], actor: ann })).rebased).toBe(1);
    // Nobody's commit waits for the rebase to end.
    await putAll(one, [key], { n: 3 });
    expect(await retain(one)).toMatchObject({ deleted: 0, complete: true });
  });
  expect(await retain(one)).toMatchObject({ deleted: 1 });
  expect(await countVersions(one)).toMatchObject({ kept: 2, deleted: 1 });
  expect(await auditStore(one.db)).toEqual([]);
});

/** As a batch of retention that has everything but its last statement behind it. */
async function expireHeld(tx: Tx, versionId: number, horizon: number): Promise<void> {
  const [row] = await tx.query<{ id: number }>(`SELECT id FROM collection WHERE name = $1`, [collection]);
  await moveHorizon(tx, row?.id ?? 0, horizon);
  await expireVersions(tx, [{ id: versionId, archive: null }]);
}

/** The transaction, but for one moment: before the first statement that holds versions, something else happens. */
function interrupted(tx: Tx, happening: () => Promise<unknown>): Tx {
  let isOver = false;
  const query: Tx['query'] = async (text, values) => {
    if (!isOver && text.includes('FOR KEY SHARE')) {
      isOver = true;
      await happening();
    }
    return await tx.query(text, values);
  };
  return { ...tx, query };
}

test('a rebase that meets a retention which is taking the content waits for it, and takes what is current then', async () => {
  const { one, two, id } = await outdatedMember();
  const second = await currentVersion(one.db);
  let retaining: Promise<void> | undefined;
  const meetRetention = async () => {
    const revision = await putAll(two, [key], { n: 3 });
    await new Promise<void>((resolve) => {
      retaining = withTransaction(two.db, async (tx) => {
        await expireHeld(tx, second, revision);
        resolve();
        await untilWaiting(one.db);
      });
    });
  };
  await withTransaction(one.db, async (tx) => {
    await lockOpenChangeset(tx, id);
    const slow = interrupted(tx, meetRetention);
    expect((await rebaseMembers(slow, one, { id, resolutions: [], actor: ann })).rebased).toBe(1);
  });
  await retaining;
  expect(await contentOf(one, id)).toEqual([{ content: '{"n":3,"staged":true}', base: 3 }]);
  expect(await auditStore(one.db)).toEqual([]);
});
