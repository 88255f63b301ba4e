-- The content of a version is stored once, as the text that is served and hashed. Beside it stood the same as jsonb, for
-- the database to search: every INSERT of a version, and every UPDATE, wrote and logged it again. Those who search parse what they look at; what is searched often has an index.
ALTER TABLE version
  DROP CONSTRAINT version_content_is_object,
  DROP CONSTRAINT version_digest_of_content,
  DROP COLUMN data;

-- That content is a JSON object, and the digest its SHA-256, is asked when they are written. A CHECK would parse and
-- hash them again for each UPDATE, whatever it sets: for each version that a commit makes current, and each validation.
CREATE FUNCTION guard_content() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the content of version % is no JSON object, or its digest is not that of its content', NEW.id
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER version_content_is_object AFTER INSERT OR UPDATE OF content ON version FOR EACH ROW
  WHEN (jsonb_typeof(NEW.content::jsonb) <> 'object') EXECUTE FUNCTION guard_content();
CREATE TRIGGER version_digest_of_content AFTER INSERT OR UPDATE OF content, digest, operation ON version FOR EACH ROW
  WHEN (CASE WHEN NEW.content IS NULL THEN (NEW.digest IS NULL) <> (NEW.operation = 'delete')
             ELSE NEW.digest IS DISTINCT FROM sha256(convert_to(NEW.content, 'UTF8')) END)
  EXECUTE FUNCTION guard_content();
-- As a CHECK does, they ask whoever writes, also who replicates.
ALTER TABLE version
  ENABLE ALWAYS TRIGGER version_content_is_object,
  ENABLE ALWAYS TRIGGER version_digest_of_content;

-- As before, but that content is parsed here, once for each record of a collection that has indexes.
CREATE OR REPLACE FUNCTION index_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM list_index WHERE state <> 'removing' AND collection_id IN (SELECT added.collection_id FROM added)
  ) THEN
    RETURN NULL;
  END IF;
  -- In one order, which is the builder's too, so that the two never wait for one another.
  INSERT INTO index_entry (index_id, record_id, value, key)
  SELECT i.id, last.record_id,
         CASE WHEN last.after_version_id IS NULL THEN '\xff'::bytea ELSE sort_value(last.data #> i.path) END,
         (SELECT key FROM record WHERE id = last.record_id)
  FROM (
    SELECT l.*, (SELECT content::jsonb FROM version WHERE id = l.after_version_id) AS data
    FROM (SELECT DISTINCT ON (record_id) * FROM added ORDER BY record_id, revision DESC) AS l
    WHERE EXISTS (SELECT FROM list_index WHERE collection_id = l.collection_id AND state <> 'removing') OFFSET 0
  ) AS last
  JOIN list_index i ON i.collection_id = last.collection_id AND i.state <> 'removing'
  WHERE last.after_version_id IS NOT NULL OR i.state = 'building'
  ORDER BY i.id, last.record_id
  ON CONFLICT (index_id, record_id) DO UPDATE SET value = excluded.value WHERE index_entry.value <> excluded.value;
  DELETE FROM index_entry WHERE ctid = ANY (ARRAY(
    SELECT e.ctid
    FROM (SELECT DISTINCT ON (record_id) * FROM added ORDER BY record_id, revision DESC) AS last
    JOIN list_index i ON i.collection_id = last.collection_id AND i.state = 'ready'
    CROSS JOIN LATERAL (SELECT ctid FROM index_entry WHERE index_id = i.id AND record_id = last.record_id LIMIT 1) AS e
    WHERE last.after_version_id IS NULL
  ));
  RETURN NULL;
END $$;
