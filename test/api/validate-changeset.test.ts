import { describe, expect, test } from 'vitest';
import { newChangeset, newCollection, startApi } from '../support/api.js';

const { call } = await startApi();
const nowhere = '/v1/changesets/00000000-0000-4000-8000-000000000000';

const validate = async (changeset: { path: string }) =>
  (await call.post(`${changeset.path}/validate`).expect(200)).body;

describe('the verdict', () => {
  test('200 valid: a receipt that commits exactly this, and nothing is live yet', async () => {
    const things = await newCollection(call);
    const changeset = await newChangeset(call);
    await changeset.stage(things.pending('a'), { data: { n: 1 } });
    const report = await validate(changeset);
    expect(report).toMatchObject({ valid: true, errors: [], errorCount: 0, warningCount: 0, memberCount: 1 });
    await call.get(things.record('a')).expect(404);
    await call.post(`${changeset.path}/commit`).send({ receipt: report.receipt }).expect(200);
  });

  test('200 invalid: every failure of every member, with its collection and key', async () => {
    const numbers = await newCollection(call, {
      schema: { properties: { n: { type: 'number' }, m: { type: 'number' } } },
    });
    const rules = [{ id: 'positive', assert: 'data.n > 0', message: 'Too low.', pointer: '/n' }];
    const prices = await newCollection(call, { rules });
    const changeset = await newChangeset(call);
    await changeset.stage(numbers.pending('a'), { data: { n: 'x', m: 'y' } });
    await changeset.stage(numbers.pending('fine'), { data: { n: 1 } });
    await changeset.stage(prices.pending('b'), { data: { n: -1 } });
    const report = await validate(changeset);
    expect(report).toMatchObject({ valid: false, receipt: null, errorCount: 3, memberCount: 3 });
    expect(
      report.errors.map(({ collection, key, pointer, rule }: Record<string, string>) => [
        collection,
        key,
        pointer,
        rule,
      ]),
    ).toEqual([
      [numbers.name, 'a', '/data/m', undefined],
      [numbers.name, 'a', '/data/n', undefined],
      [prices.name, 'b', '/data/n', 'positive'],
    ]);
  });

  test('200 with warnings, which stand in nobody’s way', async () => {
    const rules = [{ id: 'odd', assert: 'data.n > 9', message: 'Looks low.', severity: 'warning' }];
    const things = await newCollection(call, { rules });
    const changeset = await newChangeset(call);
    await changeset.stage(things.pending('a'), { data: { n: 1 } });
    const report = await validate(changeset);
    expect(report).toMatchObject({
      valid: true,
      errors: [],
      warningCount: 1,
      warnings: [{ rule: 'odd', message: 'Looks low.', collection: things.name, key: 'a' }],
    });
    await call.post(`${changeset.path}/commit`).send({ receipt: report.receipt }).expect(200);
  });

  test('200: a member whose record moved since is a failure', async () => {
    const things = await newCollection(call);
    await things.commit('a', { n: 1 });
    const changeset = await newChangeset(call);
    await changeset.stage(things.pending('a'), { data: { n: 2 } });
    await things.commit('a', { n: 3 });
    expect(await validate(changeset)).toMatchObject({
      valid: false,
      errors: [{ code: 'base-outdated', collection: things.name, key: 'a' }],
    });
  });

  test('200: an empty changeset is valid', async () => {
    expect(await validate(await newChangeset(call))).toMatchObject({ valid: true, memberCount: 0 });
  });
});

describe('the state after the commit is judged, as a whole', () => {
  async function pages() {
    const collection = await newCollection(call);
    await call
      .put(collection.path)
      .set('If-Match', '*')
      .send({ unique: [['/slug']], references: [{ pointer: '/next', collection: collection.name }] })
      .expect(200);
    await collection.commit('a', { slug: 'one' });
    await collection.commit('b', { slug: 'two' });
    return { pages: collection, changeset: await newChangeset(call) };
  }

  test('200 valid: unique values swap between members, and half of a swap is none', async () => {
    const { pages: things, changeset } = await pages();
    await changeset.stage(things.pending('a'), { data: { slug: 'two' } });
    expect(await validate(changeset)).toMatchObject({ valid: false, errors: [{ key: 'a' }] });
    await changeset.stage(things.pending('b'), { data: { slug: 'one' } });
    expect(await validate(changeset)).toMatchObject({ valid: true });
  });

  test('200 valid: references lead to members and form a cycle, in whatever order they were staged', async () => {
    const { pages: things, changeset } = await pages();
    await changeset.stage(things.pending('new'), { data: { slug: 'new', next: 'newer' } });
    expect(await validate(changeset)).toMatchObject({ valid: false, errors: [{ key: 'new' }] });
    await changeset.stage(things.pending('newer'), { data: { slug: 'newer', next: 'new' } });
    expect(await validate(changeset)).toMatchObject({ valid: true });
  });

  test('200: deletions count: their unique values are free, and references to them lead nowhere', async () => {
    const { pages: things, changeset } = await pages();
    await changeset.stage(things.pending('a'), { operation: 'delete' });
    await changeset.stage(things.pending('heir'), { data: { slug: 'one' } });
    expect(await validate(changeset)).toMatchObject({ valid: true });
    await changeset.stage(things.pending('b'), { data: { slug: 'two', next: 'a' } });
    expect(await validate(changeset)).toMatchObject({ valid: false });
  });

  test('200 invalid: what is referred to from outside of it cannot be deleted', async () => {
    const { pages: things, changeset } = await pages();
    await things.commit('b', { slug: 'two', next: 'a' });
    await changeset.stage(things.pending('a'), { operation: 'delete' });
    const report = await validate(changeset);
    expect(report).toMatchObject({ valid: false, errors: [{ collection: things.name, key: 'a' }] });
    await changeset.stage(things.pending('b'), { operation: 'delete' });
    expect(await validate(changeset)).toMatchObject({ valid: true });
  });
});

describe('what else is in the way', () => {
  test('200 names other open changesets that touch the same records', async () => {
    const things = await newCollection(call);
    const [mine, other] = [await newChangeset(call), await newChangeset(call, 'Other')];
    await mine.stage(things.pending('a'), { data: { n: 1 } });
    await mine.stage(things.pending('mine'), { data: {} });
    await other.stage(things.pending('a'), { data: { n: 2 } });
    await other.stage(things.pending('other'), { data: {} });
    await things.stage('mine', { n: 3 });
    expect((await validate(mine)).overlaps).toEqual([
      {
        changeset: other.id,
        title: 'Other',
        state: 'open',
        recordCount: 1,
        records: [{ collection: things.name, key: 'a' }],
        uniqueValueCount: 0,
        uniqueValues: [],
      },
    ]);
    expect((await validate(other)).overlaps).toMatchObject([{ changeset: mine.id }]);
  });

  test('200 names those that want the same unique values, also in several members', async () => {
    const things = await newCollection(call, { unique: [['/sku', '/region']] });
    const [mine, other] = [await newChangeset(call), await newChangeset(call)];
    await mine.stage(things.pending('a'), { data: { sku: 1, region: 'n' } });
    await mine.stage(things.pending('b'), { data: { sku: 2, region: null } });
    await other.stage(things.pending('x'), { data: { sku: 1, region: 'n' } });
    await other.stage(things.pending('y'), { data: { sku: 2, region: null } });
    await other.stage(things.pending('z'), { data: { sku: 1, region: 's' } });
    expect(await validate(mine)).toMatchObject({
      valid: true,
      overlaps: [
        {
          changeset: other.id,
          recordCount: 0,
          uniqueValueCount: 1,
          uniqueValues: [{ collection: things.name, pointer: '/sku', key: 'a', otherKey: 'x' }],
        },
      ],
    });
  });

  test('200: a scheduled one is named, one that is closed is not', async () => {
    const things = await newCollection(call, { unique: [['/sku']] });
    const mine = await newChangeset(call);
    await mine.stage(things.pending('a'), { data: { sku: 1 } });
    const other = await newChangeset(call);
    await other.stage(things.pending('a'), { data: { sku: 2 } });
    await other.stage(things.pending('x'), { data: { sku: 1 } });
    const commitAt = '2999-01-01T00:00:00.000Z';
    await call.post(`${other.path}/schedule`).set('If-Match', '*').send({ commitAt }).expect(200);
    expect((await validate(mine)).overlaps).toMatchObject([
      { changeset: other.id, state: 'scheduled', recordCount: 1, uniqueValueCount: 1 },
    ]);
    await call.post(`${other.path}/unschedule`).expect(200);
    await call.post(`${other.path}/discard`).set('If-Match', '*').expect(200);
    expect((await validate(mine)).overlaps).toEqual([]);
  });

  test('200 names the approvals that are missing, collection by collection', async () => {
    const prices = await newCollection(call, { approvals: { required: 2 } });
    const notes = await newCollection(call);
    const changeset = await newChangeset(call);
    await changeset.stage(notes.pending('a'), { data: {} });
    expect((await validate(changeset)).missingApprovals).toEqual([]);
    await changeset.stage(prices.pending('a'), { data: {} });
    expect(await validate(changeset)).toMatchObject({
      valid: true,
      missingApprovals: [{ collection: prices.name, required: 2, missing: 2 }],
    });
    await call.post(`${changeset.path}/approve`).set({ 'If-Match': '*', 'Diptych-Actor': 'bob' }).expect(200);
    expect((await validate(changeset)).missingApprovals).toMatchObject([{ missing: 1 }]);
  });
});

test('200: the changeset remembers the outcome: unknown, invalid, valid, and stale after an edit', async () => {
  const things = await newCollection(call, { schema: { required: ['n'] } });
  const changeset = await newChangeset(call);
  const remembered = async () => (await call.get(changeset.path).expect(200)).body.validation;
  expect(await remembered()).toEqual({ state: 'unknown' });
  await changeset.stage(things.pending('a'), { data: {} });
  const report = await validate(changeset);
  expect(await remembered()).toMatchObject({
    state: 'invalid',
    errorCount: 1,
    validatedRevision: report.validatedRevision,
  });
  await changeset.stage(things.pending('a'), { data: { n: 1 } });
  expect(await remembered()).toMatchObject({ state: 'stale', errorCount: 1 });
  const { headers } = await call.post(`${changeset.path}/validate`).expect(200);
  expect(await remembered()).toMatchObject({ state: 'valid', errorCount: 0 });
  expect((await call.get(changeset.path)).headers.etag).toBe(headers.etag);
});

test('400 for what is no id', async () => {
  expect((await call.post('/v1/changesets/spring/validate').expect(400)).body.code).toBe('invalid-request');
});

test('404 for a changeset that there is not', async () => {
  expect((await call.post(`${nowhere}/validate`).expect(404)).body.code).toBe('changeset-not-found');
});

test.each(['commit', 'discard'])('409 changeset-closed after %s', async (end) => {
  const changeset = await newChangeset(call);
  await call.post(`${changeset.path}/${end}`).set('If-Match', '*').expect(200);
  const { body } = await call.post(`${changeset.path}/validate`).expect(409);
  expect(body.code).toBe('changeset-closed');
});
