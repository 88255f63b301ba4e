// Fills a fresh database with records that have many old versions, by plain SQL: the service would take hours.
// What it writes is what commits would have written, so every guard of the database holds afterwards.

/** Records and versions of each, for so many versions that are not current. */
export function shapeOf(shape, versions) {
  if (shape === 'wide') return { records: versions, perRecord: 2 };
  const records = Math.max(1, Math.round(Math.sqrt(versions)));
  return { records, perRecord: Math.ceil(versions / records) + 1 };
}

/** Commits are of this many records at most. */
const RECORDS_PER_COMMIT = 1_000;

/** Versions became current this long ago, all of them. */
const AGE_DAYS = 200;

export async function seedVersions(client, { collection, records, perRecord, bytes, onProgress }) {
  // Foreign keys and triggers would check row by row what this script gets right by its form.
  await client.query('SET session_replication_role = replica');
  await client.query('SET synchronous_commit = off');
  await client.query(procedure);
  const { rows } = await client.query(
    `WITH c AS (SELECT id FROM collection WHERE name = $1), added AS (
       INSERT INTO record (collection_id, key) SELECT c.id, 'r' || n FROM c, generate_series(1, $2) AS n RETURNING id
     ) SELECT c.id AS collection, (SELECT min(id) FROM added) AS first FROM c`,
    [collection, records],
  );
  const first = Number(rows[0].first);
  for (let number = 1; number <= perRecord; number += 1) {
    for (let from = 0; from < records; from += RECORDS_PER_COMMIT) {
      const count = Math.min(RECORDS_PER_COMMIT, records - from);
      await client.query(`CALL bench_commit($1, $2, $3, $4, $5)`, [
        rows[0].collection,
        first + from,
        count,
        number,
        bytes,
      ]);
      onProgress?.(((number - 1) * records + from + count) / (records * perRecord));
    }
  }
  await client.query(
    `UPDATE record SET revision = v.revision, current_version_id = v.id
     FROM version v WHERE v.record_id = record.id AND v.number = $1`,
    [perRecord],
  );
  await client.query('DROP PROCEDURE bench_commit');
  await client.query('RESET session_replication_role');
  await client.query('VACUUM ANALYZE');
  await client.query('CHECKPOINT');
}

const procedure = `
CREATE PROCEDURE bench_commit(collection bigint, first bigint, count integer, n integer, bytes integer) LANGUAGE plpgsql AS $$
DECLARE
  r bigint;
  h bytea;
  c text;
  at timestamptz := date_trunc('milliseconds', now()) - interval '${AGE_DAYS} days';
BEGIN
  SELECT revision + 1, hash INTO r, h FROM head;
  c := json_build_object('revision', r, 'kind', 'commit', 'author', 'bench', 'message', null, 'forced', false,
                         'changeCount', count, 'previousHash', encode(h, 'hex'))::text;
  INSERT INTO commit (revision, kind, committed_at, author, change_count, content, previous_hash, hash)
  SELECT r, 'commit', greatest(at, head.committed_at), 'bench', count, c, h, sha256(convert_to(c, 'UTF8')) FROM head;
  WITH added AS (
    INSERT INTO version (record_id, number, revision, content, digest, staged_by, staged_at, updated_at)
    SELECT id, n, r, content, sha256(convert_to(content, 'UTF8')), '{bench}', at, at
    FROM generate_series(first, first + count - 1) AS id,
         LATERAL (SELECT '{"n":' || n || ',"text":"' || repeat(md5(id || ' ' || n), greatest(1, bytes / 32)) || '"}' AS content) AS made
    RETURNING id, record_id
  )
  INSERT INTO change (revision, ordinal, record_id, collection_id, before_version_id, after_version_id)
  SELECT r, row_number() OVER (ORDER BY record_id), record_id, collection,
         (SELECT v.id FROM version v WHERE v.record_id = added.record_id AND v.number = n - 1), id
  FROM added;
  UPDATE head SET revision = r, hash = k.hash, committed_at = k.committed_at FROM commit k WHERE k.revision = r;
END $$`;
