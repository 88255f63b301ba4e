import { describe, expect, test } from 'vitest';
import type { Context } from '../../src/commands/context.js';
import { rebaseChangeset } from '../../src/commands/rebase-changeset.js';
import { rebasePending } from '../../src/commands/rebase-pending.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import type { Resolutions } from '../../src/domain/rebase.js';
import { toArchive } from '../../src/lib/archive.js';
import { getPending } from '../../src/queries/get-pending.js';
import { withTransaction } from '../../src/store/db.js';
import { ann, createInstance } from '../support/context.js';
import { openChangeset } from '../support/release.js';
import { collection, define, putAll } from '../support/retention.js';

// The database keeps the base of a pending version. What is here was there before it did so.
type Way = 'archived' | 'deleted';

const at = { collection, key: 'k' };

/** A pending version whose base, version 1, is no longer at hand. */
async function expiredBase(way: Way, inChangeset: boolean) {
  const context = await createInstance();
  await define(context, {});
  await putAll(context, [at.key], { a: 1, b: 1 });
  const data = { a: 1, b: 2 };
  const changeset = inChangeset ? await openChangeset(context, [{ ...at, data }]) : null;
  const staged = { operation: 'upsert' as const, data };
  if (changeset === null)
    await stagePending(context, { ...at, changeset, staged, precondition: {}, actor: ann });
  await putAll(context, [at.key], { a: 2, b: 1 });
  await withTransaction(context.db, async (tx) => {
    await tx.query(`SET LOCAL session_replication_role = replica`);
    await tx.query(`UPDATE version SET content = NULL, archive = $1, expired_at = now() WHERE number = 1`, [
      way === 'archived' ? await toArchive('{"a":1,"b":1}') : null,
    ]);
  });
  return { rebase: rebaseOf(context, changeset), dataOf: dataOf(context, changeset) };
}

const rebaseOf = (context: Context, changeset: string | null) => async (resolutions: Resolutions) => {
  const common = { precondition: {}, actor: ann };
  if (changeset === null) return await rebasePending(context, { ...at, changeset, resolutions, ...common });
  const given = resolutions.size === 0 ? [] : [{ ...at, resolutions }];
  return await rebaseChangeset(context, { id: changeset, resolutions: given, ...common });
};

const dataOf = (context: Context, changeset: string | null) => async () =>
  (await getPending(context, { ...at, changeset })).pending.data;

describe.each([
  ['of a lone pending version', false],
  ['of a member of a changeset', true],
])('a rebase %s', (_, inChangeset) => {
  test('takes an archived base out of the archive', async () => {
    const { rebase, dataOf } = await expiredBase('archived', inChangeset);
    await rebase(new Map());
    expect(await dataOf()).toEqual({ a: 2, b: 2 });
  });

  test('whose base was deleted is one conflict about the whole, without base', async () => {
    const { rebase, dataOf } = await expiredBase('deleted', inChangeset);
    await expect(rebase(new Map())).rejects.toMatchObject({
      code: 'rebase-conflict',
      options: {
        extensions: {
          conflictCount: 1,
          conflicts: [{ pointer: '', current: { a: 2, b: 1 }, pending: { a: 1, b: 2 } }],
        },
      },
    });
    await expect(rebase(new Map([['/a', 'current']]))).rejects.toMatchObject({ code: 'invalid-request' });
    expect(await dataOf()).toEqual({ a: 1, b: 2 });
    await rebase(new Map([['', { value: { a: 2, b: 2 } }]]));
    expect(await dataOf()).toEqual({ a: 2, b: 2 });
  });
});
