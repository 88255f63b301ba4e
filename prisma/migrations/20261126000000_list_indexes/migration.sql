-- Lists that are driven by indexes, whatever the size of a collection.

-- The live records of a collection in the order of their keys: a list passes none that is deleted. The predicate
-- is a column of its own that a commit leaves as it is, so pointers still move in place.
CREATE INDEX record_live_key ON record (collection_id, key) WHERE live;

-- The key that pointers refer to begins with the id. Beginning with the record it looked to the planner as good as the
-- key over record and number for finding a version by its number, and led through all versions of the record.
ALTER TABLE record DROP CONSTRAINT record_current_version_fkey;
ALTER TABLE version
  DROP CONSTRAINT version_record_id_id_readable_key,
  ADD CONSTRAINT version_id_record_id_readable_key UNIQUE (id, record_id, readable);
ALTER TABLE record ADD CONSTRAINT record_current_version_fkey FOREIGN KEY (id, current_version_id, current_readable)
  REFERENCES version (record_id, id, readable);

-- What lists order by: bytes that stand in the order of types (null, boolean, number, string, array, object, what is
-- missing), then of values. A number is an IEEE 754 double, which every stored one is exactly: its bits, turned so
-- that they stand in order. A string is its first 250 characters, so that an index can hold it and a cursor carry it.
-- domain/sort-value.ts says the same for values that come with a request.
CREATE FUNCTION sort_value(found jsonb) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE jsonb_typeof(found)
    WHEN 'null' THEN '\x00'::bytea
    WHEN 'boolean' THEN CASE WHEN found::boolean THEN '\x0101'::bytea ELSE '\x0100'::bytea END
    WHEN 'number' THEN '\x02'::bytea || int8send((
      ('x' || encode(float8send(found::float8), 'hex'))::bit(64)
      # CASE WHEN found::float8 < 0 THEN X'ffffffffffffffff'::bit(64) ELSE X'8000000000000000'::bit(64) END
    )::bigint)
    WHEN 'string' THEN '\x03'::bytea || convert_to(left(found #>> '{}', 250), 'UTF8')
    WHEN 'array' THEN '\x04'::bytea
    WHEN 'object' THEN '\x05'::bytea
    ELSE '\x06'::bytea
  END
$$;

-- The indexes that definitions ask for. While one is being built, commits keep what it has of their records, and
-- position is the record up to which the builder has come; lists use it once it is ready. One that no definition
-- asks for any more is removed in batches.
CREATE TABLE list_index (
  id            bigint GENERATED ALWAYS AS IDENTITY,
  collection_id bigint NOT NULL,
  pointer       text NOT NULL,
  -- The same for the database: the members from the root of data.
  path          text[] NOT NULL,
  state         text NOT NULL DEFAULT 'building',
  position      bigint NOT NULL DEFAULT 0,
  -- Records that the builder has looked at.
  rows_done     bigint NOT NULL DEFAULT 0,
  CONSTRAINT list_index_pkey PRIMARY KEY (id),
  CONSTRAINT list_index_state_known CHECK (state IN ('building', 'ready', 'removing')),
  CONSTRAINT list_index_collection_id_fkey FOREIGN KEY (collection_id) REFERENCES collection (id)
);
CREATE UNIQUE INDEX list_index_in_force ON list_index (collection_id, pointer) WHERE state <> 'removing';
-- What there is to do.
CREATE INDEX list_index_unfinished ON list_index (id) WHERE state <> 'ready';

-- The value of each live record in each index. Both orders, because lists break ties by ascending keys also where
-- the values descend; both with the record, so that a list reads nothing else of the table. While an index is being
-- built, a deleted record leaves the value ff, which the builder that saw it alive does not overwrite.
CREATE TABLE index_entry (
  index_id  bigint NOT NULL,
  record_id bigint NOT NULL,
  value     bytea NOT NULL,
  key       text COLLATE "C" NOT NULL,
  CONSTRAINT index_entry_pkey PRIMARY KEY (index_id, record_id)
);
CREATE INDEX index_entry_ascending ON index_entry (index_id, value, key, record_id);
CREATE INDEX index_entry_descending ON index_entry (index_id, value DESC, key, record_id);

-- The indexes of a collection are those of its definition in force. The lock of the head, which whoever commits
-- holds, lets no commit pass an index that it does not see.
CREATE FUNCTION follow_definition() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted text[] := ARRAY(
    SELECT DISTINCT pointer FROM definition d, jsonb_array_elements_text(coalesce(d.content::jsonb -> 'indexes', '[]')) AS pointer
    WHERE d.id = NEW.definition_id
  );
BEGIN
  PERFORM FROM head FOR UPDATE;
  UPDATE list_index SET state = 'removing'
  WHERE collection_id = NEW.id AND state <> 'removing' AND pointer <> ALL (wanted);
  INSERT INTO list_index (collection_id, pointer, path, state)
  SELECT NEW.id, pointer,
         ARRAY(SELECT replace(replace(token, '~1', '/'), '~0', '~')
               FROM unnest((string_to_array(pointer, '/'))[2:]) WITH ORDINALITY AS part (token, place) ORDER BY place),
         CASE WHEN EXISTS (SELECT FROM record WHERE collection_id = NEW.id AND live) THEN 'building' ELSE 'ready' END
  FROM unnest(wanted) AS pointer
  ON CONFLICT (collection_id, pointer) WHERE state <> 'removing' DO NOTHING;
  RETURN NULL;
END $$;
CREATE TRIGGER collection_indexes AFTER UPDATE OF definition_id ON collection FOR EACH ROW
  WHEN (NEW.definition_id IS DISTINCT FROM OLD.definition_id) EXECUTE FUNCTION follow_definition();

-- Every entry of the history moves the values of its record: an index says what readers see. Collections without
-- indexes pay for one look.
-- It goes by the history alone, whether or not the pointers have moved already.
CREATE FUNCTION index_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM list_index WHERE state <> 'removing' AND collection_id IN (SELECT added.collection_id FROM added)
  ) THEN
    RETURN NULL;
  END IF;
  -- In one order, which is the builder's too, so that the two never wait for one another.
  INSERT INTO index_entry (index_id, record_id, value, key)
  SELECT i.id, last.record_id,
         CASE WHEN last.after_version_id IS NULL THEN '\xff'::bytea ELSE sort_value(v.data #> i.path) END,
         (SELECT key FROM record WHERE id = last.record_id)
  FROM (SELECT DISTINCT ON (record_id) * FROM added ORDER BY record_id, revision DESC) AS last
  JOIN list_index i ON i.collection_id = last.collection_id AND i.state <> 'removing'
  LEFT JOIN LATERAL (SELECT data FROM version WHERE id = last.after_version_id LIMIT 1) AS v ON true
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
CREATE TRIGGER change_indexed AFTER INSERT ON change
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION index_changes();

-- Changesets of one state, newest first.
CREATE INDEX changeset_state_ordinal ON changeset (state, ordinal);

-- What the definitions in force ask for already.
INSERT INTO list_index (collection_id, pointer, path)
SELECT DISTINCT c.id, pointer,
       ARRAY(SELECT replace(replace(token, '~1', '/'), '~0', '~')
             FROM unnest((string_to_array(pointer, '/'))[2:]) WITH ORDINALITY AS part (token, place) ORDER BY place)
FROM collection c
JOIN definition d ON d.id = c.definition_id,
     jsonb_array_elements_text(coalesce(d.content::jsonb -> 'indexes', '[]')) AS pointer;
