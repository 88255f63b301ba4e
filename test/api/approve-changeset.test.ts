import { describe, expect, test } from 'vitest';
import { newChangeset, newCollection, startApi } from '../support/api.js';

const { call } = await startApi();

async function waiting(required = 2) {
  const prices = await newCollection(call, { approvals: { required } });
  const changeset = await newChangeset(call);
  await changeset.stage(prices.pending('a'), { data: { n: 1 } }, 'ann');
  const approve = (actor: string, tag = '*') =>
    call.post(`${changeset.path}/approve`).set('Diptych-Actor', actor).set('If-Match', tag);
  const commit = () => call.post(`${changeset.path}/commit`).set('If-Match', '*');
  return { prices, changeset, approve, commit };
}

describe('POST /v1/changesets/{changeset}/approve', () => {
  test('200: enough distinct people let it go live', async () => {
    const { prices, changeset, approve, commit } = await waiting();
    expect((await commit().expect(403)).body).toMatchObject({
      code: 'approval-required',
      missing: [{ collection: prices.name, required: 2, missing: 2 }],
    });
    const { body } = await approve('bob').send({ message: 'Fine' }).expect(200);
    expect(body.approvals).toMatchObject([{ approver: 'bob', message: 'Fine', valid: true }]);
    await approve('bob').expect(200);
    expect((await commit().expect(403)).body.missing).toMatchObject([{ missing: 1 }]);
    await approve('cleo').expect(200);
    const { body: report } = await call.post(`${changeset.path}/validate`).expect(200);
    expect(report.missingApprovals).toEqual([]);
    expect(report.digest).toBe(body.approvals[0].digest);
    await commit().expect(200);
  });

  test('approve, edit, commit: refused, and the approval stays in the list as voided', async () => {
    const { prices, changeset, approve, commit } = await waiting(1);
    await approve('bob').expect(200);
    await changeset.stage(prices.pending('a'), { data: { n: 2 } }, 'ann');
    const { body } = await commit().expect(403);
    expect(body.missing).toMatchObject([{ missing: 1 }]);
    expect((await call.get(changeset.path).expect(200)).body.approvals).toMatchObject([
      { approver: 'bob', valid: false },
    ]);
    // Back to what was approved is an edit as well.
    await changeset.stage(prices.pending('a'), { data: { n: 1 } }, 'ann');
    await commit().expect(403);
  });

  test('403 approval-refused: nobody approves what they staged, nor without a name', async () => {
    const { prices, changeset, approve } = await waiting();
    await changeset.stage(prices.pending('b'), { data: { n: 1 } }, 'bob');
    expect((await approve('ann').expect(403)).body.code).toBe('approval-refused');
    expect((await approve('bob').expect(403)).body.code).toBe('approval-refused');
    const nameless = await call.post(`${changeset.path}/approve`).set('If-Match', '*').expect(403);
    expect(nameless.body.code).toBe('approval-refused');
    await approve('cleo').expect(200);
  });

  test('403 approval-required: there is no way around by other calls, but for an admin who forces it', async () => {
    const { prices, approve, commit } = await waiting(1);
    await approve('bob').expect(200);
    const { body: first } = await commit().expect(200);
    const put = { collection: prices.name, key: 'a', operation: 'put', data: { n: 9 } };
    expect(
      (
        await call
          .post('/v1/commits')
          .send({ changes: [put] })
          .expect(403)
      ).body.code,
    ).toBe('approval-required');
    await prices.stage('a', { n: 9 });
    await call
      .post(`${prices.pending('a')}/commit`)
      .set('If-Match', '*')
      .expect(403);
    await call.post(`/v1/commits/${first.revision}/revert`).expect(403);
    await call.post(`/v1/commits/${first.revision}/revert`).send({ force: true }).expect(200);
    await call
      .post(`${prices.record('a')}/rollback`)
      .send({ toVersion: 1 })
      .expect(403);
    await call
      .post(`${prices.record('a')}/rollback`)
      .send({ toVersion: 1, force: true })
      .expect(200);
  });

  test('404, 409, 412, 428: like every write', async () => {
    const { prices, changeset, approve } = await waiting();
    await call
      .post('/v1/changesets/00000000-0000-4000-8000-000000000000/approve')
      .set('If-Match', '*')
      .expect(404);
    const { headers } = await call.get(changeset.path).expect(200);
    await changeset.stage(prices.pending('b'), { data: {} }, 'ann');
    await approve('bob', headers.etag).expect(412);
    await call.post(`${changeset.path}/approve`).set('Diptych-Actor', 'bob').expect(428);
    await call.post(`${changeset.path}/discard`).set('If-Match', '*').expect(200);
    await approve('bob').expect(409);
  });
});
