import { describe, expect, test } from 'vitest';
import { newCollection, startApi } from '../support/api.js';
import { auditStore } from '../support/audit.js';

const { call, db } = await startApi();

async function commitThree() {
  const things = await newCollection(call);
  await things.commit('changed', { n: 1 });
  await things.commit('deleted', { n: 1 });
  const change = (key: string, rest: object) => ({ collection: things.name, key, ...rest });
  const { body } = await call
    .post('/v1/commits')
    .send({
      changes: [
        change('created', { operation: 'put', data: { n: 2 } }),
        change('changed', { operation: 'put', data: { n: 2 } }),
        change('deleted', { operation: 'delete' }),
      ],
    })
    .expect(200);
  const revision: number = body.revision;
  return { things, revision, path: `/v1/commits/${revision}/revert` };
}

describe('POST /v1/commits/{revision}/revert', () => {
  test('200: what it created is deleted, what it changed goes back, what it deleted comes back', async () => {
    const { things, revision, path } = await commitThree();
    const { body } = await call.post(path).send({ message: 'Too early' }).expect(200);
    expect(body).toMatchObject({ revision: revision + 1, kind: 'revert', changeCount: 3 });
    expect(body.changes).toEqual([
      { collection: things.name, key: 'changed', operation: 'update', before: 2, after: 1 },
      { collection: things.name, key: 'created', operation: 'delete', before: 1, after: null },
      { collection: things.name, key: 'deleted', operation: 'create', before: null, after: 1 },
    ]);
    await call.get(things.record('created')).expect(410);
    expect((await call.get(things.record('changed')).expect(200)).body.data).toEqual({ n: 1 });
    expect((await call.get(things.record('deleted')).expect(200)).body.version).toBe(1);
    const { body: commit } = await call.get(`/v1/commits/${revision + 1}`).expect(200);
    expect(commit).toMatchObject({ kind: 'revert', reverts: revision, message: 'Too early' });
    expect(await auditStore(db)).toEqual([]);
  });

  test('200: a revert can be reverted', async () => {
    const { things, revision, path } = await commitThree();
    await call.post(path).expect(200);
    await call.post(`/v1/commits/${revision + 1}/revert`).expect(200);
    expect((await call.get(things.record('created')).expect(200)).body.version).toBe(1);
    await call.get(things.record('deleted')).expect(410);
  });

  test('200: a rehearsal shows what it would do, and does nothing', async () => {
    const { things, revision, path } = await commitThree();
    const { body } = await call.post(path).send({ dryRun: true }).expect(200);
    expect(body).toMatchObject({ dryRun: true, revision: revision + 1, changeCount: 3 });
    expect((await call.get(things.record('created')).expect(200)).body.version).toBe(1);
  });

  test('200: a repeat with the same Idempotency-Key gets the first answer', async () => {
    const { path } = await commitThree();
    const revert = () => call.post(path).set('Idempotency-Key', 'once').expect(200);
    const first = await revert();
    const second = await revert();
    expect([second.headers['idempotency-replayed'], second.body]).toEqual(['true', first.body]);
  });

  test('400: a member that there is not, and a revision that is none', async () => {
    const { body } = await call.post('/v1/commits/0/revert').send({ now: true }).expect(400);
    expect(body.errors.map((failure: { pointer: string }) => failure.pointer)).toEqual(['/revision', '/now']);
  });

  test('403: only an admin goes past the rules', async () => {
    const token = 'x'.repeat(32);
    const secured = await startApi({ authTokens: [{ actor: { name: 'joe', admin: false }, token }] });
    const { body } = await secured.call
      .post('/v1/commits/1/revert')
      .set('Authorization', `Bearer ${token}`)
      .send({ force: true })
      .expect(403);
    expect(body.code).toBe('permission-required');
  });

  test('404: there is no such commit', async () => {
    const { body } = await call.post('/v1/commits/999999/revert').expect(404);
    expect(body.code).toBe('commit-not-found');
  });

  test('409 revert-conflict: every record that moved since is listed, and nothing happens', async () => {
    const { things, path } = await commitThree();
    await things.commit('changed', { n: 3 });
    await things.commit('deleted', { n: 3 });
    const { body } = await call.post(path).expect(409);
    expect(body).toMatchObject({
      code: 'revert-conflict',
      errors: [
        { key: 'changed', code: 'moved' },
        { key: 'deleted', code: 'moved' },
      ],
    });
    expect((await call.get(things.record('created')).expect(200)).body.version).toBe(1);
  });

  test('409 revert-conflict: a record that moved and came back has moved', async () => {
    const things = await newCollection(call);
    await things.commit('a', { n: 1 });
    const deleted = await things.remove('a');
    await things.commit('a', { n: 2 });
    await things.remove('a');
    expect((await call.post(`/v1/commits/${deleted}/revert`).expect(409)).body.code).toBe('revert-conflict');
  });

  test('409 revert-impossible: a definition is put, not reverted', async () => {
    const things = await newCollection(call);
    const { body } = await call.get(things.path).expect(200);
    const refused = await call.post(`/v1/commits/${body.revision}/revert`).expect(409);
    expect(refused.body.code).toBe('revert-impossible');
  });

  test('200 or 410 version-expired: an archived version comes back, a deleted one does not', async () => {
    const kept = await newCollection(call, { retention: { keepVersions: 1, onExpire: 'archive' } });
    const lost = await newCollection(call, { retention: { keepVersions: 1, onExpire: 'delete' } });
    for (const [things, status] of [
      [kept, 200],
      [lost, 410],
    ] as const) {
      await things.commit('a', { n: 1 });
      const revision = await things.commit('a', { n: 2 });
      await call.post(`${things.path}/retention/run`).expect(200);
      const { body } = await call.post(`/v1/commits/${revision}/revert`).expect(status);
      if (status === 410) expect(body).toMatchObject({ code: 'version-expired', errors: [{ key: 'a' }] });
      else expect((await call.get(things.record('a')).expect(200)).body.data).toEqual({ n: 1 });
    }
  });

  test('422: the state before breaks today’s rules, unless an admin forces it', async () => {
    const things = await newCollection(call);
    await things.commit('a', { n: 'old' });
    const revision = await things.commit('a', { n: 1 });
    await call
      .put(things.path)
      .set('If-Match', '*')
      .send({ schema: { properties: { n: { type: 'number' } } } })
      .expect(200);
    const { body } = await call.post(`/v1/commits/${revision}/revert`).expect(422);
    expect(body.errors).toMatchObject([{ pointer: '/data/n', key: 'a' }]);
    const forced = await call.post(`/v1/commits/${revision}/revert`).send({ force: true }).expect(200);
    expect((await call.get(`/v1/commits/${forced.body.revision}`).expect(200)).body.forced).toBe(true);
  });
});
