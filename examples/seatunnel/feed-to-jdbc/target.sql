-- What the job needs in the PostgreSQL that it writes to.

-- The copy. A deletion is kept as one, so that a row that comes again cannot bring the record back.
CREATE TABLE record_copy (
  collection   text NOT NULL,
  record_key   text NOT NULL,
  version      bigint NOT NULL,
  revision     bigint NOT NULL,
  committed_at timestamptz NOT NULL,
  author       text NOT NULL,
  payload      jsonb NOT NULL,
  seq          bigint NOT NULL,
  is_deleted   boolean NOT NULL,
  PRIMARY KEY (collection, record_key)
);

-- What is live, as readers of Diptych see it.
CREATE VIEW live_record AS
  SELECT collection, record_key, version, revision, committed_at, author, payload
  FROM record_copy WHERE NOT is_deleted;

-- The job inserts here, whatever the kind of the row; the trigger applies it.
CREATE VIEW feed AS
  SELECT NULL::bigint AS seq, NULL::text AS row_kind, NULL::text AS collection, NULL::text AS record_key,
         NULL::bigint AS version, NULL::bigint AS revision, NULL::text AS committed_at, NULL::text AS author,
         NULL::text AS payload;

CREATE FUNCTION apply_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.row_kind NOT IN ('+I', '-U', '+U', '-D') THEN
    RAISE EXCEPTION 'row % has the unknown kind %', NEW.seq, NEW.row_kind;
  END IF;
  -- A job may leave these out: of an update the row after says it all, for a key never changes.
  IF NEW.row_kind = '-U' THEN
    RETURN NEW;
  END IF;
  -- A row that was applied before, or after which a later one was, changes nothing: `seq` only grows along the feed.
  INSERT INTO record_copy AS present
    VALUES (NEW.collection, NEW.record_key, NEW.version, NEW.revision, (NEW.committed_at || 'Z')::timestamptz,
            NEW.author, NEW.payload::jsonb, NEW.seq, NEW.row_kind = '-D')
    ON CONFLICT (collection, record_key) DO UPDATE
      SET version = EXCLUDED.version, revision = EXCLUDED.revision, committed_at = EXCLUDED.committed_at,
          author = EXCLUDED.author, payload = EXCLUDED.payload, seq = EXCLUDED.seq, is_deleted = EXCLUDED.is_deleted
      WHERE present.seq < EXCLUDED.seq;
  RETURN NEW;
END $$;
CREATE TRIGGER apply_row INSTEAD OF INSERT ON feed FOR EACH ROW EXECUTE FUNCTION apply_row();
