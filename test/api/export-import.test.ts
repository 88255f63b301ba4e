import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { newChangeset, newCollection, type RunningApi, startApi } from '../support/api.js';
import { auditStore } from '../support/audit.js';

const here = await startApi();
const elsewhere = await startApi();
const NDJSON = 'application/x-ndjson';

const records: [string, object][] = [
  ['a/b%2F', { text: 'ü\n"\\\u2028', n: 1e21, deep: { list: [1, null, { x: -0.25 }] } }],
  ['日本 👍', {}],
  ['z', { a: 1, B: 2, ä: 3 }],
  ...Array.from({ length: 1200 }, (_, index): [string, object] => [`k${index}`, { index }]),
];

/** The digest of each record, by key. */
async function digestsOf({ db }: RunningApi, collection: string): Promise<Record<string, string>> {
  const rows = await db.query<{ key: string; digest: string }>(
    `SELECT r.key, encode(v.digest, 'hex') AS digest FROM record r JOIN collection c ON c.id = r.collection_id
     JOIN version v ON v.id = r.current_version_id WHERE c.name = $1`,
    [collection],
  );
  return Object.fromEntries(rows.map(({ key, digest }) => [key, digest]));
}

/** Pipes an export straight into a changeset, through `rename`, and commits it. */
async function carry(path: string, to: RunningApi, rename = (line: string) => line): Promise<void> {
  const { port } = here.app.server.address() as AddressInfo;
  const changeset = await newChangeset(to.call, 'Import');
  const exported = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { Accept: NDJSON } });
  const text = (await exported.text()).split('\n').map(rename).join('\n');
  const { body } = await to.call.post(`${changeset.path}/stage`).type(NDJSON).send(text).expect(200);
  expect(body).toEqual({ staged: records.length, unchanged: 0, failed: 0, errors: [] });
  await to.call.post(`${changeset.path}/commit`).set('If-Match', '*').expect(200);
}

test('an export that is imported into another store, or another collection, has equal digests', async () => {
  const { name, path } = await newCollection(here.call);
  const changes = records.map(([key, data]) => ({ collection: name, key, operation: 'put', data }));
  await here.call.post('/v1/commits').send({ changes }).expect(200);
  const expected = await digestsOf(here, name);
  expect(Object.keys(expected)).toHaveLength(records.length);

  await elsewhere.call.put(`/v1/collections/${name}`).send({}).expect(201);
  await carry(`${path}/records`, elsewhere);
  expect(await digestsOf(elsewhere, name)).toEqual(expected);

  const other = await newCollection(here.call);
  const rename = (line: string) =>
    line === '' ? '' : JSON.stringify({ ...JSON.parse(line), collection: other.name });
  await carry(`${path}/records`, here, rename);
  expect(await digestsOf(here, other.name)).toEqual(expected);

  // And once more, where it is: nothing is left to do.
  const again = await newChangeset(here.call);
  const { text } = await here.call.get(`${path}/records`).set('Accept', NDJSON).buffer(true).expect(200);
  const { body } = await here.call.post(`${again.path}/stage`).type(NDJSON).send(text).expect(200);
  expect(body).toMatchObject({ staged: 0, unchanged: records.length, failed: 0 });
  expect(await auditStore(here.db)).toEqual([]);
  expect(await auditStore(elsewhere.db)).toEqual([]);
});
