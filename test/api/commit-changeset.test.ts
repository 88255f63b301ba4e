import { describe, expect, test } from 'vitest';
import { newChangeset, newCollection, startApi } from '../support/api.js';
import { auditStore } from '../support/audit.js';

const { call, db } = await startApi();

describe('POST /v1/changesets/{changeset}/commit', () => {
  test('200: all members go live in one revision, and readers see none of them before', async () => {
    const products = await newCollection(call);
    await products.commit('old', { n: 1 });
    const gone = await products.commit('gone', { n: 1 });
    const changeset = await newChangeset(call, 'Spring');
    await changeset.stage(products.pending('new'), { data: { n: 1 } });
    await changeset.stage(products.pending('old'), { data: { n: 2 } });
    await changeset.stage(products.pending('gone'), { operation: 'delete' });
    await call.get(products.record('new')).expect(404);
    const { body: report } = await call.post(`${changeset.path}/validate`).expect(200);
    expect(report).toMatchObject({
      valid: true,
      errors: [],
      memberCount: 3,
      overlaps: [],
      missingApprovals: [],
    });
    const { body } = await call
      .post(`${changeset.path}/commit`)
      .send({ receipt: report.receipt })
      .expect(200);
    expect(body).toMatchObject({
      revision: gone + 1,
      kind: 'commit',
      unchanged: false,
      changes: [
        { key: 'gone', operation: 'delete', before: 1, after: null },
        { key: 'new', operation: 'create', before: null, after: 1 },
        { key: 'old', operation: 'update', before: 1, after: 2 },
      ],
    });
    await call.get(products.record('gone')).expect(410);
    expect((await call.get(products.record('new')).expect(200)).body).toMatchObject({
      data: { n: 1 },
      version: 1,
    });
    const { body: closed } = await call.get(changeset.path).expect(200);
    expect(closed).toMatchObject({
      state: 'committed',
      memberCount: 3,
      revision: body.revision,
      closedBy: 'anonymous',
    });
    const { body: commit } = await call.get(`/v1/commits/${body.revision}`).expect(200);
    expect(commit).toMatchObject({
      changeset: changeset.id,
      message: 'Spring',
      definitions: [{ collection: products.name, number: 1 }],
    });
    await call.post(`${changeset.path}/commit`).set('If-Match', '*').expect(409);
  });

  test('200: values swap, references form a cycle, and what is deleted counts, whatever the order', async () => {
    const pages = await newCollection(call, { unique: [['/slug']] });
    await call
      .put(pages.path)
      .set('If-Match', '*')
      .send({ unique: [['/slug']], references: [{ pointer: '/next', collection: pages.name }] })
      .expect(200);
    await pages.commit('a', { slug: 'one' });
    await pages.commit('b', { slug: 'two' });
    await pages.commit('c', { slug: 'three', next: 'a' });
    const changeset = await newChangeset(call);
    await changeset.stage(pages.pending('a'), { data: { slug: 'two', next: 'b' } });
    await changeset.stage(pages.pending('b'), { data: { slug: 'one', next: 'a' } });
    await changeset.stage(pages.pending('c'), { operation: 'delete' });
    await changeset.stage(pages.pending('d'), { data: { slug: 'three', next: 'e' } });
    await changeset.stage(pages.pending('e'), { data: { slug: 'five', next: 'd' } });
    const { body } = await call.post(`${changeset.path}/commit`).set('If-Match', '*').expect(200);
    expect(body.changeCount).toBe(5);
    expect(await auditStore(db)).toEqual([]);
  });

  test('200: what equals the current version is no change, and nothing but that is no revision', async () => {
    const things = await newCollection(call);
    const revision = await things.commit('a', { n: 1 });
    const changeset = await newChangeset(call);
    await changeset.stage(things.pending('a'), { data: { n: 1 } });
    const { body } = await call.post(`${changeset.path}/commit`).set('If-Match', '*').expect(200);
    expect(body).toMatchObject({ unchanged: true, revision, changeCount: 0 });
    const { body: closed } = await call.get(changeset.path).expect(200);
    expect(closed).toMatchObject({ state: 'committed', revision: null, memberCount: 0 });
  });

  test('200: a repeat with the same Idempotency-Key gets the first answer', async () => {
    const things = await newCollection(call);
    const changeset = await newChangeset(call);
    await changeset.stage(things.pending('a'), { data: { n: 1 } });
    const commit = () =>
      call
        .post(`${changeset.path}/commit`)
        .set('If-Match', '*')
        .set('Idempotency-Key', `key-${changeset.id}`);
    const first = await commit().expect(200);
    const second = await commit().expect(200);
    expect(second.headers['idempotency-replayed']).toBe('true');
    expect(second.body).toEqual(first.body);
  });

  test('404: there is no such changeset', async () => {
    const path = '/v1/changesets/00000000-0000-4000-8000-000000000000';
    await call.post(`${path}/commit`).expect(404);
    const { body } = await call.post(`${path}/commit`).set('If-Match', '*').expect(404);
    expect(body.code).toBe('changeset-not-found');
  });

  test('409 base-outdated: a record moved since it was staged, and nothing of the rest goes live', async () => {
    const things = await newCollection(call);
    await things.commit('a', { n: 1 });
    const changeset = await newChangeset(call);
    await changeset.stage(things.pending('a'), { data: { n: 2 } });
    await changeset.stage(things.pending('b'), { data: { n: 2 } });
    const { body: report } = await call.post(`${changeset.path}/validate`).expect(200);
    await things.commit('a', { n: 3 });
    const { body } = await call
      .post(`${changeset.path}/commit`)
      .send({ receipt: report.receipt })
      .expect(409);
    expect(body).toMatchObject({
      code: 'base-outdated',
      rebase: `${changeset.path}/rebase`,
      errors: [{ code: 'base-outdated', collection: things.name, key: 'a' }],
    });
    await call.get(things.record('b')).expect(404);
    const { body: now } = await call.post(`${changeset.path}/validate`).expect(200);
    expect(now).toMatchObject({ valid: false, errorCount: 1, receipt: null });
  });

  test('409 receipt-stale: an edit, or a new definition, after the validation', async () => {
    const things = await newCollection(call);
    const changeset = await newChangeset(call);
    await changeset.stage(things.pending('a'), { data: { n: 1 } });
    const validate = async () => (await call.post(`${changeset.path}/validate`).expect(200)).body.receipt;
    const first = await validate();
    await changeset.stage(things.pending('b'), { data: { n: 1 } });
    const commit = (receipt: string) => call.post(`${changeset.path}/commit`).send({ receipt });
    expect((await commit(first).expect(409)).body).toMatchObject({
      code: 'receipt-stale',
      changed: ['content'],
    });
    const second = await validate();
    await call.put(things.path).set('If-Match', '*').send({ title: 'Things' }).expect(200);
    expect((await commit(second).expect(409)).body).toMatchObject({
      code: 'receipt-stale',
      changed: ['definition'],
    });
    await commit(await validate()).expect(200);
  });

  test('409 receipt-stale: somebody else took the unique value after the validation', async () => {
    const things = await newCollection(call, { unique: [['/sku']] });
    const changeset = await newChangeset(call);
    await changeset.stage(things.pending('a'), { data: { sku: 1 } });
    const { body: report } = await call.post(`${changeset.path}/validate`).expect(200);
    await things.commit('rival', { sku: 1 });
    const { body } = await call
      .post(`${changeset.path}/commit`)
      .send({ receipt: report.receipt })
      .expect(409);
    expect(body).toMatchObject({ code: 'receipt-stale', changed: ['unique'], errors: [{ key: 'a' }] });
  });

  test('412: the changeset was edited since it was read', async () => {
    const things = await newCollection(call);
    const changeset = await newChangeset(call);
    await changeset.stage(things.pending('a'), { data: { n: 1 } });
    const { headers } = await call.get(changeset.path).expect(200);
    await changeset.stage(things.pending('a'), { data: { n: 2 } });
    const { body } = await call
      .post(`${changeset.path}/commit`)
      .set('If-Match', headers.etag ?? '')
      .expect(412);
    expect(body.etag).toMatch(/^"s/);
  });

  test('422: a member breaks the rules; every failure of every member is listed', async () => {
    const things = await newCollection(call, { schema: { properties: { n: { type: 'number' } } } });
    const changeset = await newChangeset(call);
    for (const key of ['a', 'b']) await changeset.stage(things.pending(key), { data: { n: key } });
    const { body } = await call.post(`${changeset.path}/commit`).set('If-Match', '*').expect(422);
    expect(body.errors).toMatchObject([
      { key: 'a', pointer: '/data/n' },
      { key: 'b', pointer: '/data/n' },
    ]);
    expect((await call.get(changeset.path).expect(200)).body.state).toBe('open');
  });

  test('422: of very many failures a thousand are listed, and all are counted', async () => {
    const things = await newCollection(call, { schema: { properties: { n: { type: 'number' } } } });
    const changeset = await newChangeset(call);
    const lines = Array.from({ length: 1_200 }, (_, index) =>
      JSON.stringify({ collection: things.name, key: `k${index}`, operation: 'put', data: { n: 'x' } }),
    );
    await call
      .post(`${changeset.path}/stage`)
      .set('Content-Type', 'application/x-ndjson')
      .send(lines.join('\n'))
      .expect(200);
    const { body } = await call.post(`${changeset.path}/commit`).set('If-Match', '*').expect(422);
    expect(body.errors).toHaveLength(1_000);
    expect(body.detail).toMatch(/1200 failures/);
    const { body: report } = await call.post(`${changeset.path}/validate`).expect(200);
    expect([report.errors.length, report.errorCount]).toEqual([1_000, 1_200]);
  });

  test('428: a commit says what it saw', async () => {
    const changeset = await newChangeset(call);
    const { body, headers } = await call.post(`${changeset.path}/commit`).expect(428);
    expect(body.etag).toBe(headers.etag);
  });

  test('409: a member is not committed alone', async () => {
    const things = await newCollection(call);
    const changeset = await newChangeset(call);
    await changeset.stage(things.pending('a'), { data: {} });
    const { body } = await call
      .post(`${things.pending('a')}/commit?changeset=${changeset.id}`)
      .set('If-Match', '*')
      .expect(409);
    expect(body.code).toBe('changeset-member');
  });
});
