import { beforeAll, expect, test } from 'vitest';
import { type Api, deleting, newCollection, startApi } from '../support/api.js';

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

const nobody = '00000000-0000-4000-8000-000000000000';

test('what is not there, not any more, or not what was meant is so as of a revision, which every such read tells', async () => {
  const { commit, record, remove, path: url, retain } = await newCollection(call, deleting);
  const first = await commit('gone', { n: 1 });
  await commit('gone', { n: 2 });
  await remove('gone');
  await commit('a', { n: 1 });
  const head = await commit('a', { n: 2 });
  await retain();
  const none = '/v1/collections/none';
  const refusals: [string, number, Record<string, string>?][] = [
    [record('none'), 404],
    [`${none}/records/a`, 404],
    [`${record('none')}?changeset=${nobody}`, 404],
    [record('gone'), 410],
    [`${record('a')}?revision=${first}`, 410],
    [`${record('a')}?revision=${head + 1}`, 404],
    [record('a'), 412, { 'If-Match': '"other"' }],
    [url, 412, { 'If-Match': '"other"' }],
    [none, 404],
    [`${none}/records`, 404],
    [`${none}/definitions`, 404],
    [`${url}/definitions/9`, 404],
    [`${url}/records?revision=${first}`, 410],
    [`${url}/records?changeset=${nobody}`, 404],
    [`${url}/retention?key=none`, 404],
    [`${record('none')}/versions`, 404],
    [`${record('a')}/versions/9`, 404],
    [`${record('gone')}/versions/1`, 410],
    [`${record('a')}/versions/1/diff?against=9`, 404],
    [`${record('a')}/pending`, 404],
    [`${record('a')}/pending/diff`, 404],
    [`/v1/changesets/${nobody}`, 404],
    [`/v1/changesets/${nobody}/pending`, 404],
    [`/v1/commits/${head + 1}`, 404],
    [`/v1/commits/${head + 1}/changes`, 404],
  ];
  for (const [path, status, headers = {}] of refusals) {
    const answer = await call.get(path).set(headers);
    expect([path, answer.status, answer.headers['diptych-revision']]).toEqual([path, status, String(head)]);
  }
});

test('a read that is refused for its form, and a write, tell none', async () => {
  const { record } = await newCollection(call);
  for (const answer of [
    await call.get(`${record('a')}?revision=x`).expect(400),
    await call.delete(`${record('a')}/pending`).expect(404),
  ]) {
    expect(answer.headers['diptych-revision']).toBeUndefined();
  }
});
