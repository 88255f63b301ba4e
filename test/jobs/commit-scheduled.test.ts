import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { commitScheduled, type ScheduleOutcome } from '../../src/commands/commit-scheduled.js';
import type { Context } from '../../src/commands/context.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { unscheduleChangeset } from '../../src/commands/unschedule-changeset.js';
import type { Definition } from '../../src/domain/collection.js';
import { startCommittingScheduled } from '../../src/jobs/commit-scheduled.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { getCommit } from '../../src/queries/get-commit.js';
import { getRecord } from '../../src/queries/get-record.js';
import { listChangesets } from '../../src/queries/list-changesets.js';
import { auditStore } from '../support/audit.js';
import { Barrier, codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { holdHead } from '../support/hold-head.js';
import {
  approve,
  commitWhole,
  define,
  letBeDue,
  openChangeset,
  scheduleFor,
  stageMember,
  viewOf,
} from '../support/release.js';
import { size } from '../support/size.js';

const rounds = size(50, 200);
const things = 'things';
const bob = { name: 'bob', admin: false };

async function start(definition: Definition = {}): Promise<[Context, Context]> {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  await define(one, things, definition);
  return [one, two];
}

/** A scheduled changeset with one member, whose moment has come. */
async function dueChangeset(context: Context, key: string, data: JsonObject = {}, at?: string) {
  const id = await openChangeset(context, [{ collection: things, key, data }]);
  await scheduleFor(context, id, { actor: bob });
  await letBeDue(context, id, at);
  return id;
}

async function commitsOf(context: Context, id: string): Promise<number> {
  return (await context.db.query(`SELECT FROM commit WHERE changeset_id = $1`, [id])).length;
}

const isLive = (context: Context, key: string) =>
  getRecord(context, { collection: things, key, at: { type: 'head' } }).then(
    () => true,
    (error) => codeOf(error) !== 'record-not-found',
  );

describe('two instances at once', () => {
  test('carry a schedule out once', async () => {
    const [one, two] = await start();
    for (let round = 0; round < rounds; round += 1) {
      const id = await dueChangeset(one, `k${round}`);
      const head = await holdHead(one.db);
      const running = [commitScheduled(one), commitScheduled(two)];
      // Both have found it due and prepared it; the lock decides.
      await head.untilWaiting(2);
      await head.release();
      const outcomes = (await Promise.all(running)).flat();
      expect(outcomes).toEqual([{ changeset: id, revision: expect.any(Number) }]);
      expect(await commitsOf(two, id)).toBe(1);
      expect(await viewOf(two, id)).toMatchObject({ state: 'committed', refusal: null });
    }
    expect(await auditStore(one.db)).toEqual([]);
  });

  test('negative control: who looks for what is due and does not look again under a lock does it twice', async () => {
    const [{ db }] = await start();
    await db.query(`CREATE TABLE naive (state text)`);
    await db.query(`CREATE TABLE naive_log (by_whom text)`);
    await db.query(`INSERT INTO naive VALUES ('scheduled')`);
    const found = new Barrier(2);
    const carryOut = async (name: string) => {
      const due = await db.query(`SELECT FROM naive WHERE state = 'scheduled'`);
      await found.arrive();
      for (const _ of due) {
        await db.query(`INSERT INTO naive_log VALUES ($1)`, [name]);
        await db.query(`UPDATE naive SET state = 'committed'`);
      }
    };
    await Promise.all([carryOut('one'), carryOut('two')]);
    expect(await db.query(`SELECT FROM naive_log`)).toHaveLength(2);
  });

  test('negative control: opening it and committing whatever is there takes the loser’s way for a refusal', async () => {
    const [one, two] = await start();
    const id = await dueChangeset(one, 'a');
    const head = await holdHead(one.db);
    const running = [one, two].map(async (context) => {
      await unscheduleChangeset(context, { id });
      return await commitWhole(context, id).then(() => 'committed', codeOf);
    });
    await head.untilWaiting(2);
    await head.release();
    // The state under lock still lets it happen only once; but the loser cannot tell that it was its own schedule.
    expect((await Promise.all(running)).sort()).toEqual(['changeset-closed', 'committed']);
    expect(await commitsOf(one, id)).toBe(1);
  });
});

describe('a schedule that is refused', () => {
  test('opens its changeset again, with the reason, which reading and listing show', async () => {
    const [one, two] = await start({ schema: { required: ['n'] } });
    const id = await dueChangeset(one, 'a');
    const [outcome] = await commitScheduled(two);
    expect(outcome).toMatchObject({ changeset: id, refused: { code: 'validation-failed' } });
    const view = await viewOf(one, id);
    expect(view).toMatchObject({
      state: 'open',
      schedule: null,
      memberCount: 1,
      refusal: {
        code: 'validation-failed',
        errors: [{ collection: things, key: 'a', pointer: '/data/n' }],
        commitAt: '2001-01-01T00:00:00.000Z',
      },
    });
    const { page } = await listChangesets(one, { state: 'open', limit: 10 });
    expect(page.items).toEqual([view]);
    expect(await isLive(one, 'a')).toBe(false);
  });

  test('is not tried again until it is scheduled again, and then nothing of the reason is left', async () => {
    const [one] = await start({ schema: { required: ['n'] } });
    const id = await dueChangeset(one, 'a');
    await commitScheduled(one);
    expect(await commitScheduled(one)).toEqual([]);
    await stageMember(one, id, { collection: things, key: 'a', data: { n: 1 } }, { replace: true });
    await scheduleFor(one, id);
    expect((await viewOf(one, id)).refusal).toBeNull();
    await letBeDue(one, id);
    expect(await commitScheduled(one)).toMatchObject([{ changeset: id, revision: expect.any(Number) }]);
  });

  test('is refused for a record that moved meanwhile, and holds up none that is due after it', async () => {
    const [one] = await start();
    const changes = [{ collection: things, key: 'a', operation: 'put' as const, data: { n: 1 } }];
    const id = await dueChangeset(one, 'a');
    const after = await dueChangeset(one, 'b', {}, '2001-01-02T00:00:00.000Z');
    await commitChanges(one, { changes, dryRun: false, actor: ann });
    const outcomes = await commitScheduled(one);
    expect(outcomes).toMatchObject([
      { changeset: id, refused: { code: 'base-outdated' } },
      { changeset: after, revision: expect.any(Number) },
    ]);
    expect(await viewOf(one, id)).toMatchObject({
      refusal: { code: 'base-outdated', errors: [{ key: 'a' }] },
    });
  });

  test('is refused while approvals are missing; those that come while it is scheduled count', async () => {
    const [one] = await start({ approvals: { required: 1 } });
    const [lacking, approved] = [await dueChangeset(one, 'a'), await dueChangeset(one, 'b')];
    await approve(one, approved, 'cleo');
    const outcomes = await commitScheduled(one);
    expect(outcomes).toMatchObject([
      { changeset: lacking, refused: { code: 'approval-required' } },
      { changeset: approved, revision: expect.any(Number) },
    ]);
    expect(await viewOf(one, lacking)).toMatchObject({
      state: 'open',
      refusal: { code: 'approval-required', errors: [{ collection: things }] },
    });
    expect(await isLive(one, 'a')).toBe(false);
  });
});

/** Moves the moment at which what was postponed is tried again. */
const retryAt = ({ db }: Context, year: number) =>
  db.query(
    `UPDATE changeset SET refusal = refusal || jsonb_build_object('retryAt', make_timestamptz($1, 1, 1, 0, 0, 0))
     WHERE state = 'scheduled'`,
    [year],
  );

describe('what happens while a schedule is being carried out', () => {
  /** Carries out what is due; `meanwhile` happens after it was prepared and before it is decided. */
  async function carryOut(context: Context, meanwhile: () => Promise<unknown>): Promise<ScheduleOutcome[]> {
    const head = await holdHead(context.db);
    const running = commitScheduled(context);
    await head.untilWaiting(1);
    await meanwhile();
    await head.release();
    return await running;
  }

  test('a database that fails leaves it scheduled, and it is carried out later', async () => {
    const [one, two] = await start();
    const id = await dueChangeset(one, 'a');
    const head = await holdHead(two.db);
    const running = commitScheduled(one);
    await head.untilWaiting(1);
    await head.cutOff();
    expect(await running).toMatchObject([{ changeset: id, postponed: { code: 'not-ready' } }]);
    expect(await viewOf(one, id)).toMatchObject({
      state: 'scheduled',
      refusal: { code: 'not-ready', attempts: 1, retryAt: expect.any(String) },
    });
    await head.release();
    await retryAt(one, 2020);
    expect(await commitScheduled(one)).toMatchObject([{ changeset: id, revision: expect.any(Number) }]);
    expect(await commitsOf(one, id)).toBe(1);
  });

  test('those that have to wait let the others pass', async () => {
    const [one, two] = await start();
    const waiting: string[] = [];
    for (let index = 0; index < 10; index += 1) waiting.push(await dueChangeset(one, `w${index}`));
    const head = await holdHead(two.db);
    const running = commitScheduled(one);
    for (const _ of waiting) {
      await head.untilWaiting(1);
      await head.cutOff();
    }
    expect(await running).toHaveLength(10);
    await head.release();
    await retryAt(one, 2999);
    const next = await dueChangeset(one, 'a');
    expect(await commitScheduled(one)).toMatchObject([{ changeset: next }]);
    await retryAt(one, 2020);
    expect(await commitScheduled(one)).toHaveLength(10);
  });

  test('scheduling it for later holds it back', async () => {
    const [one, two] = await start();
    const id = await dueChangeset(one, 'a');
    const later = '2999-06-01T00:00:00.000Z';
    expect(await carryOut(one, () => scheduleFor(two, id, { at: later }))).toEqual([]);
    expect(await viewOf(one, id)).toMatchObject({
      state: 'scheduled',
      schedule: { commitAt: later },
      refusal: null,
    });
    expect(await commitsOf(one, id)).toBe(0);
  });

  test('taking it back, and editing it, holds it back too', async () => {
    const [one, two] = await start();
    const id = await dueChangeset(one, 'a');
    const outcomes = await carryOut(one, async () => {
      await unscheduleChangeset(two, { id });
      await stageMember(two, id, { collection: things, key: 'b', data: {} });
    });
    expect(outcomes).toEqual([]);
    expect(await viewOf(one, id)).toMatchObject({ state: 'open', memberCount: 2, refusal: null });
  });

  test('it is judged by the definition that came into force, not by the one that it was prepared with', async () => {
    const [one, two] = await start();
    const id = await dueChangeset(one, 'a');
    const head = await holdHead(one.db);
    const redefining = putCollection(two, {
      collection: things,
      definition: { schema: { required: ['n'] } },
      precondition: { ifMatch: { any: true } },
      actor: ann,
    });
    await head.untilWaiting(1);
    const running = commitScheduled(one);
    await head.untilWaiting(2);
    await head.release();
    await redefining;
    expect(await running).toMatchObject([{ changeset: id, refused: { code: 'validation-failed' } }]);
    expect(await isLive(one, 'a')).toBe(false);
  });

  test('stopping the job waits for it', async () => {
    const [one, two] = await start();
    const id = await dueChangeset(one, 'a');
    const head = await holdHead(two.db);
    const job = startCommittingScheduled(one, pino({ level: 'silent' }), { intervalMs: 1 });
    onTestFinished(() => job.stop());
    await head.untilWaiting(1);
    let hasStopped = false;
    const stopped = job.stop().then(() => {
      hasStopped = true;
    });
    expect((await viewOf(two, id)).state).toBe('scheduled');
    expect(hasStopped).toBe(false);
    await head.release();
    await stopped;
    expect((await viewOf(two, id)).state).toBe('committed');
  });
});

describe('what is overdue', () => {
  test('is carried out in the order of its moments, ten in one go', async () => {
    const [one] = await start();
    const ids: string[] = [];
    for (let at = 12; at >= 1; at -= 1) {
      const moment = `2001-01-${String(at).padStart(2, '0')}T00:00:00.000Z`;
      ids.unshift(await dueChangeset(one, `k${at}`, {}, moment));
    }
    const first = await commitScheduled(one);
    const second = await commitScheduled(one);
    expect([first.length, second.length]).toEqual([10, 2]);
    const done = [...first, ...second];
    expect(done.map(({ changeset }) => changeset)).toEqual(ids);
    const revisions = done.map(({ revision }) => revision ?? 0);
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
  });

  test('is not what is still to come', async () => {
    const [one] = await start();
    const id = await openChangeset(one, [{ collection: things, key: 'a', data: {} }]);
    await scheduleFor(one, id);
    expect(await commitScheduled(one)).toEqual([]);
    expect((await viewOf(one, id)).state).toBe('scheduled');
  });

  test('has who scheduled it for its author, and the title for its message', async () => {
    const [one] = await start();
    const id = await openChangeset(one, [{ collection: things, key: 'a', data: {} }], 'Winter prices');
    await scheduleFor(one, id, { actor: ann });
    await scheduleFor(one, id, { actor: bob });
    await letBeDue(one, id);
    const [outcome] = await commitScheduled(one);
    const { commit } = await getCommit(one, { revision: outcome?.revision ?? 0 });
    expect(commit).toMatchObject({ author: 'bob', message: 'Winter prices', changeset: id });
    expect(await viewOf(one, id)).toMatchObject({ closedBy: 'bob', revision: outcome?.revision });
  });

  test('and equals what is live closes without a revision', async () => {
    const [one] = await start();
    const changes = [{ collection: things, key: 'a', operation: 'put' as const, data: {} }];
    await commitChanges(one, { changes, dryRun: false, actor: ann });
    const id = await dueChangeset(one, 'a');
    expect(await commitScheduled(one)).toEqual([{ changeset: id, revision: null }]);
    expect(await viewOf(one, id)).toMatchObject({ state: 'committed', revision: null });
  });
});
