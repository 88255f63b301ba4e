import { beforeAll, describe, expect, test } from 'vitest';
import { type Api, newCollection, startApi } from '../support/api.js';

interface Entry {
  revision: number;
  kind: string;
  changeCount: number;
  changes: { ordinal: number; key: string; before: object | null; after: object | null }[];
  more: string | null;
}

let call: Api;
beforeAll(async () => {
  ({ call } = await startApi());
});

const headOf = async () => (await call.get('/v1/changes?limit=1').expect(200)).body.head as number;

const putAll = async (collection: string, keys: string[]): Promise<number> => {
  const changes = keys.map((key) => ({ collection, key, operation: 'put', data: { key } }));
  return (await call.post('/v1/commits').send({ changes, message: 'many' }).expect(200)).body.revision;
};

/** All pages from a position to the head. */
async function readAll(after: number | string, query: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let next = String(after), head = -1; next !== String(head); ) {
    const { body } = await call.get(`/v1/changes?group=commit&after=${next}&${query}`).expect(200);
    entries.push(...body.commits);
    ({ next, head } = body);
  }
  return entries;
}

describe('200', () => {
  test('one entry for each commit, with both records of each of its changes', async () => {
    const { name } = await newCollection(call);
    const after = await headOf();
    await putAll(name, ['a', 'b']);
    const changes = [{ collection: name, key: 'a', operation: 'delete' }];
    const { body: deleted } = await call.post('/v1/commits').send({ changes }).expect(200);
    const { body, headers } = await call.get(`/v1/changes?group=commit&after=${after}`).expect(200);
    expect(body).toEqual({
      commits: [
        {
          revision: after + 1,
          kind: 'commit',
          committedAt: expect.any(String),
          author: 'anonymous',
          message: 'many',
          changeset: null,
          changeCount: 2,
          changes: ['a', 'b'].map((key, index) => ({
            ordinal: index + 1,
            operation: 'create',
            collection: name,
            key,
            before: null,
            after: { version: 1, data: { key } },
          })),
          more: null,
        },
        expect.objectContaining({ revision: deleted.revision, changeCount: 1 }),
      ],
      next: String(deleted.revision),
      head: deleted.revision,
    });
    expect(body.commits[1].changes).toMatchObject([{ before: { data: { key: 'a' } }, after: null }]);
    expect(headers.link).toBe(`</v1/changes?group=commit&after=${body.next}>; rel="next"`);
  });

  test('limit counts commits, and those of definitions are among them', async () => {
    const after = await headOf();
    const { name, commit } = await newCollection(call);
    await commit('a', {});
    await newCollection(call);
    await putAll(name, ['b', 'c', 'd']);
    for (const limit of [1, 2, 3, 100]) {
      const entries = await readAll(after, `limit=${limit}`);
      expect(entries.map(({ kind, changes }) => [kind, changes.length])).toEqual([
        ['definition', 0],
        ['commit', 1],
        ['definition', 0],
        ['commit', 3],
      ]);
    }
  });

  test('filters apply within, and leave out what has nothing that passes; the position moves on', async () => {
    const one = await newCollection(call);
    const other = await newCollection(call);
    const after = await headOf();
    const mixed = [one.name, other.name].map((collection) => ({
      ...{ collection, key: 'ab', operation: 'put', data: {} },
    }));
    await call.post('/v1/commits').send({ changes: mixed }).expect(200);
    await other.commit('ac', {});
    await one.commit('b', {});
    await newCollection(call);
    const shown = async (query: string) =>
      (await readAll(after, query)).map(({ changeCount, changes }) => [
        changeCount,
        ...changes.map(({ key }) => key),
      ]);
    for (const limit of [1, 100]) {
      expect(await shown(`collection=${one.name}&limit=${limit}`)).toEqual([
        [2, 'ab'],
        [1, 'b'],
      ]);
      expect(await shown(`keyPrefix=a&limit=${limit}`)).toEqual([
        [2, 'ab', 'ab'],
        [1, 'ac'],
      ]);
      expect(await shown(`keyPrefix=a&collection=${one.name}&limit=${limit}`)).toEqual([[2, 'ab']]);
    }
  });

  test('of a commit of more than 1,000 changes the first are there, and the feed has the rest', async () => {
    const { name, commit } = await newCollection(call);
    const after = await headOf();
    const keys = Array.from({ length: 1_200 }, (_, index) => `k${String(index).padStart(4, '0')}`);
    const revision = await putAll(name, keys);
    await commit('last', {});
    const entries = await readAll(after, 'limit=10');
    expect(entries.map(({ changes, changeCount, more }) => [changes.length, changeCount, more])).toEqual([
      [1_000, 1_200, `${revision}.1000`],
      [1, 1, null],
    ]);
    const { body } = await call.get(`/v1/changes?after=${revision}.1000&limit=200`).expect(200);
    const rest = body.changes.map((change: { key: string }) => change.key);
    const seen = [...(entries[0]?.changes ?? []).map(({ key }) => key), ...rest];
    expect([...seen].sort()).toEqual(keys);
  });

  test('from within a commit it shows what is left of that', async () => {
    const { name } = await newCollection(call);
    const revision = await putAll(name, ['a', 'b', 'c']);
    const [entry] = await readAll(`${revision}.1`, 'limit=10');
    expect(entry?.changes.map(({ ordinal }) => ordinal)).toEqual([2, 3]);
    expect(await readAll(`${revision}.3`, 'limit=10')).toEqual([]);
  });

  test('a caller who waits hears of the next commit, also of a definition', async () => {
    const after = await headOf();
    const waiting = call
      .get(`/v1/changes?group=commit&after=${after}&wait=30`)
      .expect(200)
      .then(({ body }) => body);
    await newCollection(call);
    expect((await waiting).commits).toMatchObject([{ kind: 'definition', changes: [] }]);
  });
});

test('400 for another grouping, a form or a cursor beside it', async () => {
  const { body } = await call.get('/v1/changes?group=commit&format=rows&cursor=3').expect(400);
  expect(body.errors).toMatchObject([{ pointer: '/format' }, { pointer: '/cursor' }]);
  expect((await call.get('/v1/changes?group=day').expect(400)).body.errors).toMatchObject([
    { pointer: '/group' },
  ]);
});
