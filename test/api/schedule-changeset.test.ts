import { expect, test } from 'vitest';
import { newChangeset, newCollection, startApi } from '../support/api.js';

const { call } = await startApi();
const nowhere = '/v1/changesets/00000000-0000-4000-8000-000000000000';
const commitAt = '2999-01-01T06:00:00.000Z';

type Changeset = Awaited<ReturnType<typeof newChangeset>>;

const schedule = (changeset: Pick<Changeset, 'path'>, body: object = { commitAt }) =>
  call.post(`${changeset.path}/schedule`).set('Diptych-Actor', 'ann').send(body);

async function oneMember() {
  const things = await newCollection(call);
  const changeset = await newChangeset(call);
  await changeset.stage(things.pending('a'), { data: { n: 1 } });
  return { things, changeset, member: `${things.pending('a')}?changeset=${changeset.id}` };
}

test('200 is scheduled, by whom and for when, and nothing is live yet', async () => {
  const { things, changeset } = await oneMember();
  const { body, headers } = await schedule(changeset, { commitAt: '2999-01-01T08:00:00+02:00' })
    .set('If-Match', '*')
    .expect(200);
  const { report, ...shown } = body;
  expect(shown).toMatchObject({
    state: 'scheduled',
    schedule: { commitAt, scheduledBy: 'ann' },
    refusal: null,
  });
  expect(report).toMatchObject({ valid: true, memberCount: 1 });
  const read = await call.get(changeset.path).expect(200);
  expect(read.body).toMatchObject({ state: 'scheduled', schedule: shown.schedule });
  expect(headers.etag?.split('~')[0]).toBe(read.headers.etag?.split('~')[0]);
  await call.get(things.record('a')).expect(404);
});

test('200 by the receipt of a validation', async () => {
  const { changeset } = await oneMember();
  const { body: report } = await call.post(`${changeset.path}/validate`).expect(200);
  await schedule(changeset, { commitAt, receipt: report.receipt }).expect(200);
});

test('200: the report shows what stands against it already, which is no reason to refuse', async () => {
  const things = await newCollection(call, { schema: { required: ['n'] }, approvals: { required: 1 } });
  const [changeset, rival] = [await newChangeset(call), await newChangeset(call)];
  await changeset.stage(things.pending('a'), { data: {} });
  await rival.stage(things.pending('a'), { data: { n: 1 } });
  const { body } = await schedule(changeset).set('If-Match', '*').expect(200);
  expect(body).toMatchObject({
    state: 'scheduled',
    report: {
      valid: false,
      errors: [{ collection: things.name, key: 'a' }],
      missingApprovals: [{ collection: things.name, missing: 1 }],
      overlaps: [{ changeset: rival.id }],
    },
  });
});

test('200: scheduling it again changes the moment', async () => {
  const { changeset } = await oneMember();
  await schedule(changeset).set('If-Match', '*').expect(200);
  const later = '2999-02-01T06:00:00.000Z';
  const { body } = await schedule(changeset, { commitAt: later })
    .set({ 'If-Match': '*', 'Diptych-Actor': 'bob' })
    .expect(200);
  expect(body.schedule).toMatchObject({ commitAt: later, scheduledBy: 'bob' });
});

test('200: what is scheduled can still be validated and approved', async () => {
  const { changeset } = await oneMember();
  await schedule(changeset).set('If-Match', '*').expect(200);
  await call.post(`${changeset.path}/validate`).expect(200);
  const { body } = await call
    .post(`${changeset.path}/approve`)
    .set({ 'If-Match': '*', 'Diptych-Actor': 'bob' })
    .expect(200);
  expect(body).toMatchObject({ state: 'scheduled', approvals: [{ approver: 'bob', valid: true }] });
});

test('400 for a moment that has passed, and the changeset stays open', async () => {
  const { changeset } = await oneMember();
  const { body } = await schedule(changeset, { commitAt: '2020-01-01T00:00:00Z' })
    .set('If-Match', '*')
    .expect(400);
  expect(body.errors).toMatchObject([{ pointer: '/commitAt', code: 'past' }]);
  expect((await call.get(changeset.path).expect(200)).body).toMatchObject({ state: 'open', schedule: null });
});

test('400 for what is no moment, and for what is no receipt of this call', async () => {
  const { changeset } = await oneMember();
  for (const moment of ['tomorrow', '2999-01-01', 7, null]) {
    const { body } = await schedule(changeset, { commitAt: moment }).set('If-Match', '*').expect(400);
    expect(body.errors).toMatchObject([{ pointer: '/commitAt' }]);
  }
  const { body } = await schedule(changeset, { commitAt, receipt: 'rcpt1.MS4xLjEuMC4x' }).expect(400);
  expect(body.errors).toMatchObject([{ pointer: '/receipt' }]);
});

test('404 for a changeset that there is not', async () => {
  expect((await schedule({ path: nowhere }).expect(404)).body.code).toBe('changeset-not-found');
  await schedule({ path: nowhere }).set('If-Match', '*').expect(404);
});

test('409 changeset-closed: it takes no edits while it is scheduled', async () => {
  const { things, changeset, member } = await oneMember();
  await schedule(changeset).set('If-Match', '*').expect(200);
  const edits = [
    call.put(`${things.pending('b')}?changeset=${changeset.id}`).send({ data: {} }),
    call
      .put(member)
      .set('If-Match', '*')
      .send({ data: { n: 2 } }),
    call
      .patch(member)
      .type('application/merge-patch+json')
      .send({ data: { n: 2 } }),
    call.delete(member).set('If-Match', '*'),
  ];
  for (const edit of edits)
    expect((await edit.expect(409)).body).toMatchObject({ code: 'changeset-closed', state: 'scheduled' });
});

test('409 changeset-closed: it is neither committed nor discarded by hand while it is scheduled', async () => {
  const { changeset } = await oneMember();
  await schedule(changeset).set('If-Match', '*').expect(200);
  for (const end of ['commit', 'discard']) {
    const { body } = await call.post(`${changeset.path}/${end}`).set('If-Match', '*').expect(409);
    expect(body).toMatchObject({ code: 'changeset-closed', state: 'scheduled' });
  }
});

test.each(['commit', 'discard'])('409 changeset-closed after %s', async (end) => {
  const { changeset } = await oneMember();
  await call.post(`${changeset.path}/${end}`).set('If-Match', '*').expect(200);
  expect((await schedule(changeset).set('If-Match', '*').expect(409)).body.code).toBe('changeset-closed');
});

test('409 receipt-stale: it was edited after that validation', async () => {
  const { things, changeset } = await oneMember();
  const { body: report } = await call.post(`${changeset.path}/validate`).expect(200);
  await changeset.stage(things.pending('b'), { data: {} });
  const { body } = await schedule(changeset, { commitAt, receipt: report.receipt }).expect(409);
  expect(body).toMatchObject({ code: 'receipt-stale', changed: ['content'] });
});

test('412: it was edited since it was read', async () => {
  const { things, changeset } = await oneMember();
  const { headers } = await call.get(changeset.path).expect(200);
  await changeset.stage(things.pending('b'), { data: {} });
  const { body } = await schedule(changeset)
    .set('If-Match', headers.etag ?? '')
    .expect(412);
  expect(body.etag).toMatch(/^"s/);
});

test('428: what is to go live has been seen', async () => {
  const { changeset } = await oneMember();
  const { body } = await schedule(changeset).expect(428);
  await schedule(changeset).set('If-Match', body.etag).expect(200);
});

test('409 receipt-stale: a definition changed since the validation, which then is stale as well', async () => {
  const things = await newCollection(call);
  const changeset = await newChangeset(call);
  await changeset.stage(things.pending('a'), { data: {} });
  const { body: report } = await call.post(`${changeset.path}/validate`).expect(200);
  await call.put(things.path).set('If-Match', '*').send({ title: 'Things' }).expect(200);
  const { body: seen } = await call.get(changeset.path).expect(200);
  expect(seen.validation.state).toBe('stale');
  const { body } = await call
    .post(`${changeset.path}/schedule`)
    .send({ commitAt: '2999-01-01T00:00:00Z', receipt: report.receipt })
    .expect(409);
  expect(body).toMatchObject({ code: 'receipt-stale', changed: ['definition'] });
});
