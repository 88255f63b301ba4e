// Fills collections with very many records, or one record with very many versions, by plain SQL: the service would
// take hours. What it writes is what commits would have written, so every guard of the database holds afterwards;
// only the indexes that definitions ask for are left to be built, as they would be for records that were there first.

/** Records of one commit at most. */
const RECORDS_PER_COMMIT = 10_000;

/**
 * Records `prefix` + number in a collection, each with one version: a name, text of so many bytes, and one of so many
 * prices, which by default a hundred records share.
 */
export async function seedRecords(client, options) {
  const { collection, records, prefix = 'r', bytes = 400, perCommit = RECORDS_PER_COMMIT } = options;
  const prices = options.prices ?? Math.ceil(records / 100);
  await asReplica(client, async () => {
    const id = await collectionId(client, collection);
    for (let from = 1; from <= records; from += perCommit) {
      const count = Math.min(perCommit, records - from + 1);
      const revision = await appendCommit(client, count);
      await client.query(
        `WITH made AS (
           SELECT n, '{"name":"Product ' || n || '","price":' || n::bigint * 7919 % $7 || ',"text":"' || repeat('x', $6) || '"}' AS content
           FROM generate_series($3::integer, $3::integer + $4::integer - 1) AS n
         ), r AS (
           INSERT INTO record (collection_id, key) SELECT $1, $5 || lpad(n::text, 8, '0') FROM made ORDER BY n RETURNING id, key
         ), v AS (
           INSERT INTO version (record_id, number, revision, content, digest, staged_by, staged_at, updated_at)
           SELECT r.id, 1, $2, content, sha256(convert_to(content, 'UTF8')), '{bench}', now(), now()
           FROM r JOIN made ON $5 || lpad(n::text, 8, '0') = r.key ORDER BY r.id
           RETURNING id, record_id
         )
         INSERT INTO change (revision, ordinal, record_id, collection_id, before_version_id, after_version_id)
         SELECT $2, row_number() OVER (ORDER BY record_id), record_id, $1, NULL, id FROM v`,
        [id, revision, from, count, prefix, bytes, prices],
      );
      await pointTo(client, revision);
    }
  });
}

/** Versions of one record, each of a commit of its own. */
export async function seedHistory(client, { collection, key, versions, bytes = 400 }) {
  await asReplica(client, async () => {
    const id = await collectionId(client, collection);
    await client.query(`INSERT INTO record (collection_id, key) VALUES ($1, $2)`, [id, key]);
    for (let number = 1; number <= versions; number += 1) {
      const revision = await appendCommit(client, 1);
      await client.query(
        `WITH r AS (SELECT id FROM record WHERE collection_id = $1 AND key = $2),
              made AS (SELECT '{"name":"Product","price":' || $4::integer || ',"text":"' || repeat('x', $5) || '"}' AS content),
              v AS (
                INSERT INTO version (record_id, number, revision, content, digest, staged_by, staged_at, updated_at)
                SELECT r.id, $4, $3, content, sha256(convert_to(content, 'UTF8')), '{bench}', now(), now() FROM r, made
                RETURNING id, record_id
              )
         INSERT INTO change (revision, ordinal, record_id, collection_id, before_version_id, after_version_id)
         SELECT $3, 1, v.record_id, $1, (SELECT b.id FROM version b WHERE b.record_id = v.record_id AND b.number = $4 - 1), v.id FROM v`,
        [id, key, revision, number, bytes],
      );
    }
    await pointTo(client, (await client.query('SELECT revision FROM head')).rows[0].revision);
  });
}

/** Foreign keys and triggers would check row by row what is right by its form. */
async function asReplica(client, work) {
  await client.query(`SET session_replication_role = replica; SET synchronous_commit = off; SET jit = off`);
  await work();
  await client.query(
    `UPDATE list_index SET state = 'building', position = 0, rows_done = 0 WHERE state = 'ready'`,
  );
  await client.query('RESET session_replication_role');
  await client.query('VACUUM (ANALYZE) record, version, change, commit');
  await client.query('CHECKPOINT');
}

async function collectionId(client, name) {
  const { rows } = await client.query(`SELECT id FROM collection WHERE name = $1`, [name]);
  return rows[0].id;
}

/** Appends a commit to the log and moves the head. */
async function appendCommit(client, count) {
  const { rows } = await client.query(
    `WITH entry AS (
       SELECT revision + 1 AS revision, hash AS previous_hash,
              json_build_object('revision', revision + 1, 'kind', 'commit', 'author', 'bench', 'message', null, 'forced', false,
                                'changeCount', $1::integer, 'previousHash', encode(hash, 'hex'))::text AS content
       FROM head
     ), added AS (
       INSERT INTO commit (revision, kind, committed_at, author, change_count, content, previous_hash, hash)
       SELECT revision, 'commit', date_trunc('milliseconds', clock_timestamp()), 'bench', $1, content, previous_hash,
              sha256(convert_to(content, 'UTF8'))
       FROM entry RETURNING revision, hash, committed_at
     )
     UPDATE head SET revision = added.revision, hash = added.hash, committed_at = added.committed_at FROM added
     RETURNING head.revision`,
    [count],
  );
  return rows[0].revision;
}

/** Moves the pointers of what a commit changed. */
function pointTo(client, revision) {
  return client.query(
    `UPDATE record SET revision = h.revision, current_version_id = h.after_version_id
     FROM change h WHERE h.revision = $1 AND record.id = h.record_id`,
    [revision],
  );
}
