import { on } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { discardChangeset } from '../../src/commands/discard-changeset.js';
import { revertCommit } from '../../src/commands/revert-commit.js';
import { changesetDigest } from '../../src/domain/changeset.js';
import { canonicalJson } from '../../src/lib/canonical-json.js';
import { sha256 } from '../../src/lib/digest.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { getPending } from '../../src/queries/get-pending.js';
import { auditStore } from '../support/audit.js';
import { atOnce } from '../support/barrier.js';
import { ann } from '../support/context.js';
import { holdHead } from '../support/hold-head.js';
import { between, endOf, expectOne, meet, twoInstances } from '../support/races.js';
import {
  approve,
  commitWhole,
  define,
  openChangeset,
  receiptOf,
  stageMember,
  viewOf,
} from '../support/release.js';
import { size } from '../support/size.js';

const rounds = size(5, 200);
const pages = 'pages';
const anything = { ifMatch: { any: true as const } };

const put = (key: string, data: JsonObject, collection = pages) => ({
  collection,
  key,
  operation: 'put' as const,
  data,
});
const member = (key: string, data: JsonObject | null, collection = pages) => ({ collection, key, data });

const commit = (context: Context, ...changes: Parameters<typeof commitChanges>[1]['changes']) =>
  commitChanges(context, { changes, dryRun: false, actor: ann });

/** What is live, by key. */
async function liveIn(context: Context): Promise<Record<string, JsonObject>> {
  const rows = await context.db.query<{ key: string; data: JsonObject }>(
    `SELECT r.key, v.content::jsonb AS data FROM record r JOIN version v ON v.id = r.current_version_id`,
  );
  return Object.fromEntries(rows.map(({ key, data }) => [key, data]));
}

/** Runs the rounds, every other one with the second of two in front, and looks at the whole store in the end. */
async function eachRound(
  context: Context,
  play: (round: number, secondFirst: boolean) => Promise<void>,
  count = rounds,
): Promise<void> {
  for (let round = 0; round < count; round += 1) await play(round, round % 2 === 1);
  expect(await auditStore(context.db)).toEqual([]);
}

describe('a changeset whose members swap unique values', () => {
  async function start() {
    const [one, two] = await twoInstances();
    await define(one, pages, { unique: [['/slug']] });
    return [one, two] as const;
  }

  test('leaves no moment in which a rival could take one of them', async () => {
    const [one, two] = await start();
    await commit(one, put('a', { slug: 'one' }), put('b', { slug: 'two' }));
    await eachRound(one, async (round, secondFirst) => {
      const [a, b] = round % 2 === 0 ? ['two', 'one'] : ['one', 'two'];
      const id = await openChangeset(one, [member('a', { slug: a }), member('b', { slug: b })]);
      const ends = await meet(
        one,
        [() => commitWhole(one, id), () => commit(two, put(`rival${round}`, { slug: 'one' }))],
        { secondFirst },
      );
      expect(ends).toEqual(['done', 'validation-failed']);
      expect(await liveIn(two)).toEqual({ a: { slug: a }, b: { slug: b } });
    });
  });

  test('and free a third: a rival gets that one afterwards, and is refused before', async () => {
    const [one, two] = await start();
    await eachRound(one, async (round, secondFirst) => {
      const slug = (name: string) => ({ slug: `${name}${round}` });
      await commit(one, put(`a${round}`, slug('x')), put(`b${round}`, slug('y')));
      const id = await openChangeset(one, [member(`a${round}`, slug('y')), member(`b${round}`, slug('z'))]);
      const rival = () => commit(two, put(`rival${round}`, slug('x')));
      const ends = await meet(one, [() => commitWhole(one, id), rival], { secondFirst });
      expect(ends).toEqual(['done', secondFirst ? 'validation-failed' : 'done']);
    });
  });

  test('negative control: in commits of their own they let a rival in between', async () => {
    const [one, two] = await start();
    await commit(one, put('a', { slug: 'one' }), put('b', { slug: 'two' }));
    expect(await endOf(commit(one, put('a', { slug: 'two' })))).toBe('validation-failed');
    await commit(one, put('a', { slug: 'parked' }));
    expect(await endOf(commit(two, put('rival', { slug: 'one' })))).toBe('done');
    expect(await endOf(commit(one, put('b', { slug: 'one' })))).toBe('validation-failed');
  });
});

describe('a changeset whose members refer to each other', () => {
  async function start() {
    const [one, two] = await twoInstances();
    await define(one, pages);
    const definition = { references: [{ pointer: '/next', collection: pages }] };
    await define(one, pages, definition, anything);
    return [one, two] as const;
  }

  const cycle = (round: number, end: null | undefined = undefined) => [
    member(`p${round}`, end === null ? null : { next: `q${round}` }),
    member(`q${round}`, end === null ? null : { next: `p${round}` }),
  ];

  test('begins a cycle whole: who refers to it comes after it, or is refused', async () => {
    const [one, two] = await start();
    await eachRound(one, async (round, secondFirst) => {
      const id = await openChangeset(one, cycle(round));
      const rival = () => commit(two, put(`rival${round}`, { next: `q${round}` }));
      const ends = await meet(one, [() => commitWhole(one, id), rival], { secondFirst });
      expect(ends).toEqual(['done', secondFirst ? 'validation-failed' : 'done']);
    });
  });

  test('ends a cycle whole, or somebody refers to it: one of them', async () => {
    const [one, two] = await start();
    await eachRound(one, async (round, secondFirst) => {
      await commitWhole(one, await openChangeset(one, cycle(round)));
      const id = await openChangeset(one, cycle(round, null));
      const receipt = await receiptOf(one, id);
      const rival = () => commit(two, put(`rival${round}`, { next: `q${round}` }));
      const ends = await meet(one, [() => commitWhole(one, id, receipt), rival], { secondFirst });
      expectOne(ends, ['receipt-stale', 'validation-failed']);
      expect(ends[0] === 'done').toBe(!secondFirst);
      const live = await liveIn(two);
      expect([`p${round}` in live, `q${round}` in live]).toEqual([secondFirst, secondFirst]);
    });
  });

  test('negative control: half of a cycle alone neither begins nor ends it', async () => {
    const [one] = await start();
    const [half] = cycle(0);
    if (!half) throw new Error('no half');
    expect(await endOf(commitWhole(one, await openChangeset(one, [half])))).toBe('validation-failed');
    await commitWhole(one, await openChangeset(one, cycle(0)));
    const [end] = cycle(0, null);
    if (!end) throw new Error('no half');
    expect(await endOf(commitWhole(one, await openChangeset(one, [end])))).toBe('validation-failed');
  });
});

describe('a changeset that deletes what its other members cease to refer to', () => {
  test('commits, or somebody else refers to it meanwhile: one of them', async () => {
    const [one, two] = await twoInstances();
    await define(one, 'brands');
    await define(one, pages, { references: [{ pointer: '/brand', collection: 'brands' }] });
    await eachRound(one, async (round, secondFirst) => {
      const [old, fresh] = [`old${round}`, `new${round}`];
      await commit(one, put(old, {}, 'brands'), put(`p${round}`, { brand: old }));
      const id = await openChangeset(one, [
        member(old, null, 'brands'),
        member(`p${round}`, { brand: fresh }),
        member(fresh, {}, 'brands'),
      ]);
      const receipt = await receiptOf(one, id);
      const rival = () => commit(two, put(`rival${round}`, { brand: old }));
      const ends = await meet(one, [() => commitWhole(one, id, receipt), rival], { secondFirst });
      expectOne(ends, ['receipt-stale', 'validation-failed']);
      const live = await liveIn(two);
      expect([live[`p${round}`], old in live]).toEqual(
        secondFirst ? [{ brand: old }, true] : [{ brand: fresh }, false],
      );
    });
  });
});

describe('two changesets', () => {
  test.each([
    ['with receipts', true, 'receipt-stale'],
    ['whatever is there', false, 'validation-failed'],
  ])('that want one unique value, committed %s: one gets it', async (_, validated, refusal) => {
    const [one, two] = await twoInstances();
    await define(one, pages, { unique: [['/slug']] });
    await eachRound(one, async (round, secondFirst) => {
      const want = (key: string) =>
        openChangeset(one, [
          member(`${key}${round}`, { slug: `s${round}` }),
          member(`${key}-too${round}`, { slug: `${key}${round}` }),
        ]);
      const ids = [await want('x'), await want('y')] as const;
      const receipts = validated ? [await receiptOf(one, ids[0]), await receiptOf(two, ids[1])] : [];
      const ends = await meet(
        one,
        [() => commitWhole(one, ids[0], receipts[0]), () => commitWhole(two, ids[1], receipts[1])],
        { secondFirst },
      );
      expectOne(ends, [refusal, refusal]);
      const [winner, loser] = secondFirst ? ['y', 'x'] : ['x', 'y'];
      const live = await liveIn(two);
      expect([`${winner}-too${round}` in live, `${loser}-too${round}` in live]).toEqual([true, false]);
      expect((await viewOf(one, ids[secondFirst ? 0 : 1])).state).toBe('open');
    });
  });

  test.each([
    ['with receipts', true],
    ['whatever is there', false],
  ])('that change one record, committed %s: one does, the other is outdated', async (_, validated) => {
    const [one, two] = await twoInstances();
    await define(one, pages);
    await commit(one, put('shared', { by: 'nobody' }));
    await eachRound(one, async (round, secondFirst) => {
      const change = (by: string) =>
        openChangeset(one, [member('shared', { by, round }), member(`${by}${round}`, {})]);
      const ids = [await change('x'), await change('y')] as const;
      const receipts = validated ? [await receiptOf(one, ids[0]), await receiptOf(two, ids[1])] : [];
      const ends = await meet(
        one,
        [() => commitWhole(one, ids[0], receipts[0]), () => commitWhole(two, ids[1], receipts[1])],
        { secondFirst },
      );
      expectOne(ends, ['base-outdated', 'base-outdated']);
      const [winner, loser] = secondFirst ? ['y', 'x'] : ['x', 'y'];
      const live = await liveIn(two);
      expect(live.shared).toEqual({ by: winner, round });
      expect(`${loser}${round}` in live).toBe(false);
    });
  });

  test('negative control: that have nothing in common both commit', async () => {
    const [one, two] = await twoInstances();
    await define(one, pages, { unique: [['/slug']] });
    const ids = [
      await openChangeset(one, [member('x', { slug: 'x' })]),
      await openChangeset(one, [member('y', { slug: 'y' })]),
    ] as const;
    const works = [() => commitWhole(one, ids[0]), () => commitWhole(two, ids[1])] as const;
    expect(await meet(one, [...works], { secondFirst: false })).toEqual(['done', 'done']);
  });
});

describe('a changeset that is edited while it is committed', () => {
  const keys = ['a', 'b', 'c'];
  const generations = 6;

  /** Members are edited one after the other, in this order: their generations tell after which edit. */
  const isOneEdit = (found: number[]) =>
    found.every((generation, at) => {
      const previous = found[at - 1] ?? generation;
      return generation <= previous && generation >= (found[0] ?? 0) - 1;
    });

  const generationsOf = async (context: Context, round: number) => {
    const live = await liveIn(context);
    return keys.map((key) => Number(live[`${key}${round}`]?.generation ?? Number.NaN));
  };

  const editorOf = (context: Context, id: string, round: number) => async (generation: number) => {
    for (const key of keys) {
      const data = { generation };
      await stageMember(context, id, member(`${key}${round}`, data), { replace: generation > 0 });
    }
  };

  test('goes live as it was after one of the edits, never a mixture of two', async () => {
    const [one, two] = await twoInstances();
    await define(one, pages);
    let overtaken = 0;
    await eachRound(one, async (round) => {
      const id = await openChangeset(one, []);
      await editorOf(one, id, round)(0);
      const edit = editorOf(two, id, round);
      const outcomes = await atOnce(2, async (party) => {
        if (party === 0) {
          for (let generation = 1; generation <= generations; generation += 1) {
            const end = await endOf(edit(generation));
            if (end !== 'done') return end;
          }
          return 'done';
        }
        for (;;) {
          const end = await endOf(commitWhole(one, id));
          // Edited faster than it was judged: it says so, and is tried again.
          if (end !== 'not-ready') return end;
        }
      });
      const [edited, committed] = outcomes.map((end) => (end.status === 'fulfilled' ? end.value : 'thrown'));
      expect(committed).toBe('done');
      expect(['done', 'changeset-closed']).toContain(edited);
      if (edited === 'changeset-closed') overtaken += 1;
      const live = await generationsOf(one, round);
      expect([live, isOneEdit(live)]).toEqual([live, true]);
    });
    console.log(`${overtaken} of ${rounds} commits came between two edits`);
  });

  test('an edit that comes after it was prepared is judged and goes live too', async () => {
    const [one, two] = await twoInstances();
    await define(one, pages);
    await eachRound(one, async (round) => {
      const id = await openChangeset(one, []);
      await editorOf(one, id, round)(0);
      const ends = await between(
        one,
        () => commitWhole(one, id),
        () => editorOf(two, id, round)(7),
      );
      expect(ends).toEqual(['done', 'done']);
      expect(await generationsOf(one, round)).toEqual([7, 7, 7]);
    });
  });

  test('with the receipt it is refused instead', async () => {
    const [one, two] = await twoInstances();
    await define(one, pages);
    const id = await openChangeset(one, []);
    await editorOf(one, id, 0)(0);
    const receipt = await receiptOf(one, id);
    const ends = await between(
      one,
      () => commitWhole(one, id, receipt),
      () => editorOf(two, id, 0)(7),
    );
    expect(ends).toEqual(['receipt-stale', 'done']);
    expect(await liveIn(one)).toEqual({});
  });

  test('negative control: who reads the members one by one and commits that, commits a mixture', async () => {
    const [one, two] = await twoInstances();
    await define(one, pages);
    const id = await openChangeset(one, []);
    const edit = editorOf(two, id, 0);
    await edit(0);
    const read: JsonObject[] = [];
    for (const key of keys) {
      const { pending } = await getPending(one, { collection: pages, key: `${key}0`, changeset: id });
      read.push(pending.data ?? {});
      await edit(read.length);
    }
    await commit(one, ...keys.map((key, at) => put(`${key}0`, read[at] ?? {})));
    expect(isOneEdit(await generationsOf(one, 0))).toBe(false);
  });
});

describe('a changeset that is edited while it is approved', () => {
  async function start() {
    const [one, two] = await twoInstances();
    await define(one, pages, { approvals: { required: 1 } });
    return [one, two] as const;
  }

  const digestOf = (key: string, data: JsonObject) =>
    changesetDigest([
      { collection: pages, key, operation: 'upsert', digest: sha256(canonicalJson(data)).toString('hex') },
    ]);

  test('goes live only as somebody has approved it', async () => {
    const [one, two] = await start();
    const tally = { done: 0, 'approval-required': 0 };
    await eachRound(
      one,
      async (round) => {
        const key = `k${round}`;
        const id = await openChangeset(one, [member(key, { n: 1 })]);
        const ends = await atOnce(3, (party) => {
          if (party === 0) return endOf(approve(two, id, 'bob'));
          if (party === 1) return endOf(stageMember(one, id, member(key, { n: 2 }), { replace: true }));
          return endOf(commitWhole(round % 2 === 0 ? one : two, id));
        });
        const [, , committed] = ends.map((end) => (end.status === 'fulfilled' ? end.value : 'thrown'));
        expect(Object.keys(tally)).toContain(committed);
        tally[committed as keyof typeof tally] += 1;
        if (committed !== 'done') return;
        const data = (await liveIn(two))[key] ?? {};
        const { approvals } = await viewOf(one, id);
        expect(approvals).toMatchObject([
          { approver: 'bob', digest: await digestOf(key, data), valid: true },
        ]);
      },
      rounds * 2,
    );
    console.log(`approve, edit and commit at once: ${JSON.stringify(tally)}`);
  });

  test('an edit between what was prepared and what is decided voids the approval', async () => {
    const [one, two] = await start();
    await eachRound(one, async (round) => {
      const key = `k${round}`;
      const id = await openChangeset(one, [member(key, { n: 1 })]);
      await approve(two, id, 'bob');
      const ends = await between(
        one,
        () => commitWhole(one, id),
        () => stageMember(two, id, member(key, { n: 2 }), { replace: true }),
      );
      expect(ends).toEqual(['approval-required', 'done']);
      expect(key in (await liveIn(two))).toBe(false);
      // The control: an approval that were not bound to the edit is there, and would have let it through.
      expect((await viewOf(one, id)).approvals).toMatchObject([{ approver: 'bob', valid: false }]);
      await approve(two, id, 'bob');
      expect(await endOf(commitWhole(one, id))).toBe('done');
    });
  });
});

describe('a changeset that is committed and discarded at once', () => {
  const discard = (context: Context, id: string) =>
    discardChangeset(context, { id, precondition: anything, actor: ann });

  test('is one of them', async () => {
    const [one, two] = await twoInstances();
    await define(one, pages);
    await eachRound(one, async (round) => {
      const keys = [`a${round}`, `b${round}`];
      const id = await openChangeset(
        one,
        keys.map((key) => member(key, {})),
      );
      const outcomes = await atOnce(2, (party) =>
        endOf(party === 0 ? commitWhole(one, id) : discard(two, id)),
      );
      const ends = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'thrown'));
      expectOne([ends[0] ?? '', ends[1] ?? ''], ['changeset-closed', 'changeset-closed']);
      const committed = ends[0] === 'done';
      expect((await viewOf(two, id)).state).toBe(committed ? 'committed' : 'discarded');
      const live = await liveIn(two);
      expect(keys.map((key) => key in live)).toEqual([committed, committed]);
    });
  });

  test('is discarded when that comes between what was prepared and what is decided', async () => {
    const [one, two] = await twoInstances();
    await define(one, pages);
    const id = await openChangeset(one, [member('a', {})]);
    const ends = await between(
      one,
      () => commitWhole(one, id),
      () => discard(two, id),
    );
    expect(ends).toEqual(['changeset-closed', 'done']);
    expect(await liveIn(one)).toEqual({});
    expect(await auditStore(one.db)).toEqual([]);
  });
});

describe('a revert', () => {
  const revert = (context: Context, revision: number) =>
    revertCommit(context, { revision, dryRun: false, force: false, actor: ann });

  /** Two records at version 1 and, by the commit that is to be undone, at version 2. */
  async function changed(context: Context, round: number): Promise<number> {
    const both = (n: number) => [put(`a${round}`, { n }), put(`b${round}`, { n })];
    await commit(context, ...both(1));
    const { result } = await commit(context, ...both(2));
    return result.revision;
  }

  test('and a commit of one of its records: one of them, never half', async () => {
    const [one, two] = await twoInstances();
    await define(one, pages);
    await eachRound(one, async (round, secondFirst) => {
      const revision = await changed(one, round);
      const rival = () => commit(two, { ...put(`a${round}`, { n: 3 }), ifVersion: 2 });
      const ends = await meet(one, [() => revert(one, revision), rival], { secondFirst });
      expectOne(ends, ['revert-conflict', 'version-conflict']);
      const live = await liveIn(two);
      expect([live[`a${round}`], live[`b${round}`]]).toEqual(
        secondFirst ? [{ n: 3 }, { n: 2 }] : [{ n: 1 }, { n: 1 }],
      );
    });
  });

  test('and a changeset with one of its records: one of them, never half', async () => {
    const [one, two] = await twoInstances();
    await define(one, pages);
    await eachRound(one, async (round, secondFirst) => {
      const revision = await changed(one, round);
      const id = await openChangeset(one, [member(`b${round}`, { n: 3 }), member(`c${round}`, { n: 3 })]);
      const ends = await meet(one, [() => revert(one, revision), () => commitWhole(two, id)], {
        secondFirst,
      });
      expectOne(ends, ['revert-conflict', 'base-outdated']);
      const live = await liveIn(two);
      expect(['a', 'b', 'c'].map((key) => live[`${key}${round}`]?.n)).toEqual(
        secondFirst ? [2, 3, 3] : [1, 1, undefined],
      );
    });
  });

  test('of one commit, twice at once: one of them', async () => {
    const [one, two] = await twoInstances();
    await define(one, pages);
    await eachRound(one, async (round, secondFirst) => {
      const revision = await changed(one, round);
      const ends = await meet(one, [() => revert(one, revision), () => revert(two, revision)], {
        secondFirst,
      });
      expectOne(ends, ['revert-conflict', 'revert-conflict']);
    });
  });

  test('negative control: record by record it is half there when one of them has moved', async () => {
    const [one, two] = await twoInstances();
    await define(one, pages);
    await changed(one, 0);
    await commit(one, { ...put('a0', { n: 1 }), ifVersion: 2 });
    await commit(two, { ...put('b0', { n: 3 }), ifVersion: 2 });
    expect(await endOf(commit(one, { ...put('b0', { n: 1 }), ifVersion: 2 }))).toBe('version-conflict');
    const live = await liveIn(two);
    expect([live.a0, live.b0]).toEqual([{ n: 1 }, { n: 3 }]);
  });
});

test('an edit that takes long holds up its own changeset alone, and is in no deadlock with a group of commits', async () => {
  const [one, two] = await twoInstances();
  await define(one, pages);
  await commit(one, put('first', {}), put('shared', {}));
  const id = await openChangeset(one, [member('other', {})]);
  // One commit is held up at the head, so that two others come together in the transaction behind it.
  const head = await holdHead(two.db);
  const commits = ['first', 'shared'].map((key) => endOf(commit(one, put(key, { n: 1 }))));
  await head.untilWaiting(1);
  const releases = on(one.db.pool, 'release');
  const whole = endOf(commitWhole(one, id));
  // It has read the changeset under its lock, and then as a whole: it is prepared.
  for (let count = 0; count < 2; count += 1) await releases.next();
  await setImmediate();
  const editor = await two.db.pool.connect();
  onTestFinished(() => editor.release(true));
  await editor.query(`SET deadlock_timeout = '10ms'`);
  await editor.query('BEGIN');
  await editor.query('SELECT FROM changeset WHERE id = $1 FOR UPDATE', [id]);
  await head.release();
  expect(await Promise.all(commits)).toEqual(['done', 'done']);
  await editor.query(`SELECT FROM record WHERE key = 'shared' FOR UPDATE`);
  expect('other' in (await liveIn(two))).toBe(false);
  await editor.query('COMMIT');
  expect(await whole).toBe('done');
});
