import { beforeAll, describe, expect, test } from 'vitest';
import { withSession } from '../../src/store/db.js';
import { tryLockRetention } from '../../src/store/retention.js';
import { type Api, archiving, deleting, newCollection, type RunningApi, startApi } from '../support/api.js';
import { auditStore } from '../support/audit.js';

let running: RunningApi;
let call: Api;
let guarded: Api;
const [plain, admin] = ['a'.repeat(32), 'b'.repeat(32)];
beforeAll(async () => {
  running = await startApi();
  ({ call } = running);
  ({ call: guarded } = await startApi({
    authTokens: [
      { actor: { name: 'ada', admin: false }, token: plain },
      { actor: { name: 'bob', admin: true }, token: admin },
    ],
  }));
});

describe('200', () => {
  test.each([
    ['archives', archiving, { archived: 2, deleted: 0 }],
    ['deletes', deleting, { archived: 0, deleted: 2 }],
  ])('%s what nothing protects, and a second run finds nothing', async (_, definition, counts) => {
    const { commit, path } = await newCollection(call, definition);
    for (const n of [1, 2]) await commit('a', { n });
    const horizon = await commit('a', { n: 3 });
    const first = await call.post(`${path}/retention/run`).send({}).expect(200);
    expect(first.body).toEqual({ dryRun: false, ...counts, horizon, complete: true });
    const second = await call.post(`${path}/retention/run`).expect(200);
    expect(second.body).toEqual({ dryRun: false, archived: 0, deleted: 0, horizon, complete: true });
    expect(await auditStore(running.db)).toEqual([]);
  });

  test('a rehearsal says the same and touches nothing', async () => {
    const { commit, path, record } = await newCollection(call, deleting);
    await commit('a', { n: 1 });
    const horizon = await commit('a', { n: 2 });
    const { body } = await call.post(`${path}/retention/run`).send({ dryRun: true }).expect(200);
    expect(body).toEqual({ dryRun: true, archived: 0, deleted: 1, horizon, complete: true });
    await call.get(`${record('a')}/versions/1`).expect(200);
    expect((await call.get(`${path}/retention`).expect(200)).body).toMatchObject({ horizon: 0, run: null });
  });

  test('a policy that deletes takes what was archived as well', async () => {
    const { commit, path, record, retain } = await newCollection(call, archiving);
    for (const n of [1, 2, 3]) await commit('a', { n });
    await retain();
    await call.put(path).set('If-Match', '*').send(deleting).expect(200);
    const { body } = await call.post(`${path}/retention/run`).send({}).expect(200);
    expect(body).toMatchObject({ archived: 0, deleted: 2, complete: true });
    await call.get(`${record('a')}/versions/1`).expect(410);
  });
});

describe('refusals', () => {
  test('403 without the permission; a rehearsal needs none', async () => {
    const as = (token: string) => ({ Authorization: `Bearer ${token}` });
    await guarded.put('/v1/collections/guarded').set(as(admin)).send(deleting).expect(201);
    const url = '/v1/collections/guarded/retention/run';
    const { body } = await guarded.post(url).set(as(plain)).send({}).expect(403);
    expect(body).toMatchObject({ code: 'permission-required', permission: 'admin' });
    await guarded.post(url).set(as(plain)).send({ dryRun: true }).expect(200);
    await guarded.post(url).set(as(admin)).send({}).expect(200);
  });

  test('404 without the collection', async () => {
    for (const dryRun of [true, false]) {
      const { body } = await call.post('/v1/collections/missing/retention/run').send({ dryRun }).expect(404);
      expect(body.code).toBe('collection-not-found');
    }
  });

  test('409 while another call or instance runs it; a rehearsal does not mind', async () => {
    const { name, path } = await newCollection(call, deleting);
    await withSession(running.db, async (session) => {
      const [row] = await session.query<{ id: number }>('SELECT id FROM collection WHERE name = $1', [name]);
      expect(await tryLockRetention(session, row?.id ?? 0)).toBe(true);
      const { body, headers } = await call.post(`${path}/retention/run`).send({}).expect(409);
      expect(body.code).toBe('retention-running');
      expect(headers['retry-after']).toBe('1');
      await call.post(`${path}/retention/run`).send({ dryRun: true }).expect(200);
    });
    await call.post(`${path}/retention/run`).send({}).expect(200);
  });

  test.each([{ dryRun: 'yes' }, { force: true }, []])('400 for %j', async (body) => {
    const { path } = await newCollection(call);
    await call.post(`${path}/retention/run`).send(body).expect(400);
  });
});
