import { expect, test } from 'vitest';
import { newChangeset, newCollection, type RunningApi, startApi } from '../support/api.js';

const { call, db }: RunningApi = await startApi();

/** Holds a row as a long call would, while `work` runs. */
async function whileLocked<T>(statement: string, values: unknown[], work: () => Promise<T>): Promise<T> {
  const client = await db.pool.connect();
  await client.query('BEGIN');
  await client.query(statement, values);
  try {
    return await work();
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
}

const lockChangeset = 'SELECT FROM changeset WHERE id = $1 FOR UPDATE';

test('a changeset that a long call edits is busy: callers are told, and do not pile up', async () => {
  const things = await newCollection(call);
  const changeset = await newChangeset(call);
  const refused = await whileLocked(lockChangeset, [changeset.id], () =>
    Promise.all(
      ['a', 'b', 'c'].map((key) =>
        call
          .put(`${things.pending(key)}?changeset=${changeset.id}`)
          .send({ data: {} })
          .expect(409),
      ),
    ),
  );
  for (const { body, headers } of refused) {
    expect([body.code, headers['retry-after']]).toEqual(['changeset-busy', '1']);
  }
  await changeset.stage(things.pending('a'), { data: {} });
});

test('who waits for a changeset does not hold the collection, for which a definition would wait', async () => {
  const things = await newCollection(call);
  const changeset = await newChangeset(call);
  await whileLocked(lockChangeset, [changeset.id], async () => {
    const staging = call.put(`${things.pending('a')}?changeset=${changeset.id}`).send({ data: {} });
    const waiting = Promise.resolve(staging.expect(409));
    for (let isWaiting = false; !isWaiting; ) {
      const [row] = await db.query<{ count: number }>(
        `SELECT count(*) AS count FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%changeset%'`,
      );
      isWaiting = row?.count === 1;
    }
    await db.query('SELECT FROM collection WHERE name = $1 FOR UPDATE NOWAIT', [things.name]);
    await waiting;
  });
});

test('discarding a changeset waits for no record that readers see, and holds up none', async () => {
  const things = await newCollection(call);
  await things.commit('live', { n: 1 });
  const changeset = await newChangeset(call);
  await changeset.stage(things.pending('live'), { data: { n: 2 } });
  await changeset.stage(things.pending('new'), { data: { n: 2 } });
  const lockRecord = `SELECT FROM record WHERE key = 'live' AND revision IS NOT NULL FOR UPDATE`;
  await whileLocked(lockRecord, [], async () => {
    await call.post(`${changeset.path}/discard`).set('If-Match', '*').expect(200);
  });
});
