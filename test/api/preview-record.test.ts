import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Db } from '../../src/store/db.js';
import { type Api, newChangeset, newCollection, startApi } from '../support/api.js';

let call: Api;
let db: Db;
beforeAll(async () => {
  ({ call, db } = await startApi());
});

/** A collection with a committed record, and a changeset of its own. */
async function prepare() {
  const collection = await newCollection(call);
  await collection.commit('a', { n: 1 });
  const { id } = await newChangeset(call);
  const stage = (key: string, body: object) =>
    call
      .put(`${collection.pending(key)}?changeset=${id}`)
      .send(body)
      .expect(201);
  const preview = (key: string) => call.get(`${collection.record(key)}?changeset=${id}`);
  return { ...collection, id, stage, preview };
}

describe('200', () => {
  test('is the pending version of this changeset, which has no version number yet', async () => {
    const { stage, preview, record } = await prepare();
    await stage('a', { data: { n: 2 }, message: 'Second' });
    const { body } = await preview('a').expect(200);
    expect(body).toMatchObject({
      data: { n: 2 },
      pending: true,
      version: null,
      revision: null,
      committedAt: null,
      committedBy: null,
      message: 'Second',
    });
    expect((await call.get(record('a')).expect(200)).body.data).toEqual({ n: 1 });
  });

  test('is what is committed, where the changeset holds nothing', async () => {
    const { preview } = await prepare();
    const { body } = await preview('a').expect(200);
    expect(body).toMatchObject({ data: { n: 1 }, pending: false, version: 1, committedBy: 'anonymous' });
  });

  test('of a changeset that is scheduled', async () => {
    const { preview, stage, id } = await prepare();
    await stage('b', { data: { n: 2 } });
    await db.query(
      `UPDATE changeset SET state = 'scheduled', commit_at = '2100-01-01', scheduled_by = 'ann', scheduled_at = now() WHERE id = $1`,
      [id],
    );
    expect((await preview('b').expect(200)).body.data).toEqual({ n: 2 });
  });

  test('until it is edited 304', async () => {
    const { preview, stage } = await prepare();
    const { headers } = await preview('a').expect(200);
    await preview('a')
      .set('If-None-Match', headers.etag ?? '')
      .expect(304);
    await stage('a', { data: { n: 1 } });
    await preview('a')
      .set('If-None-Match', headers.etag ?? '')
      .expect(200);
  });
});

describe('refusals', () => {
  test('400 together with a revision or a moment', async () => {
    const { record, id } = await prepare();
    for (const moment of ['revision=1', 'at=2026-01-01T00:00:00Z']) {
      const { body } = await call.get(`${record('a')}?changeset=${id}&${moment}`).expect(400);
      expect(body.errors).toMatchObject([{ in: 'query', pointer: '/changeset' }]);
    }
    await call.get(`${record('a')}?changeset=7`).expect(400);
  });

  test('404 without the changeset, the collection or the record', async () => {
    const { record, preview, id } = await prepare();
    const { body } = await call.get(`${record('a')}?changeset=${randomUUID()}`).expect(404);
    expect(body.code).toBe('changeset-not-found');
    expect((await preview('missing').expect(404)).body.code).toBe('record-not-found');
    const missing = await call.get(`/v1/collections/missing/records/a?changeset=${id}`).expect(404);
    expect(missing.body.code).toBe('collection-not-found');
  });

  test('404 for what another changeset or nobody’s changeset creates', async () => {
    const { pending, preview } = await prepare();
    await call
      .put(pending('new'))
      .send({ data: { n: 1 } })
      .expect(201);
    const { id: other } = await newChangeset(call);
    await call
      .put(`${pending('new')}?changeset=${other}`)
      .send({ data: { n: 1 } })
      .expect(201);
    await preview('new').expect(404);
  });

  test('409 when the changeset is closed', async () => {
    const { preview, id } = await prepare();
    await call.post(`/v1/changesets/${id}/discard`).set('If-Match', '*').expect(200);
    const { body } = await preview('a').expect(409);
    expect(body).toMatchObject({ code: 'changeset-closed', state: 'discarded' });
  });

  test('410 for what the changeset deletes, and for what was deleted before', async () => {
    const { preview, stage, commit, remove } = await prepare();
    await stage('a', { operation: 'delete' });
    expect((await preview('a').expect(410)).body.code).toBe('record-deleted');
    await commit('b', {});
    const revision = await remove('b');
    expect((await preview('b').expect(410)).body).toMatchObject({ code: 'record-deleted', revision });
  });
});
