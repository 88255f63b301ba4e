-- A mirror of what readers see, for those who follow the database itself (change data capture): one table for each
-- collection whose definition says "mirror": true, named after it, in a schema of its own, where nothing pending has
-- ever been. It is written in the transaction of the commit, by the database itself, so that whoever appends to the
-- log keeps it. With its full replica identity PostgreSQL emits every update as the row before and the row after.
-- docs/adr/0023-mirror-for-change-data-capture.md says why.
CREATE SCHEMA mirror;

-- What readers subscribe to. The tables of mirrors are added and go with their definitions.
CREATE PUBLICATION diptych;

-- Whether the definition in force asks for a mirror: follow_mirror sets it, and nobody else.
ALTER TABLE collection ADD COLUMN mirrored boolean NOT NULL DEFAULT false;
-- One look tells every commit that there are no mirrors at all.
CREATE INDEX collection_mirrored ON collection (id) WHERE mirrored;

CREATE FUNCTION guard_mirrored() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'whether a collection is mirrored is what its definition says'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER collection_begins_unmirrored BEFORE INSERT ON collection FOR EACH ROW
  WHEN (NEW.mirrored) EXECUTE FUNCTION guard_mirrored();
CREATE TRIGGER collection_mirrored_follows BEFORE UPDATE OF mirrored ON collection FOR EACH ROW
  WHEN (NEW.mirrored <> OLD.mirrored AND pg_trigger_depth() = 0) EXECUTE FUNCTION guard_mirrored();

-- A mirror is written by the triggers of this file alone: whatever else writes it, does so outside of any trigger.
CREATE FUNCTION guard_mirror() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on mirror.% is refused: a mirror is written by commits alone', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;

-- Makes the mirror of a collection and enters all its live records. The caller holds the head's lock, so no commit is
-- missed. It is in the publication before the first row, so that those who follow get the rows that are there already.
-- The name of its key is one that no collection can have.
CREATE FUNCTION build_mirror(collection bigint, name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('CREATE TABLE mirror.%I (
    key          text COLLATE "C" NOT NULL,
    version      bigint NOT NULL,
    revision     bigint NOT NULL,
    committed_at timestamptz(3) NOT NULL,
    author       text NOT NULL,
    data         text NOT NULL
  )', name);
  EXECUTE format('ALTER TABLE mirror.%I REPLICA IDENTITY FULL', name);
  EXECUTE format('ALTER PUBLICATION diptych ADD TABLE mirror.%I', name);
  EXECUTE format(
    'INSERT INTO mirror.%I (key, version, revision, committed_at, author, data)
     SELECT r.key, v.number, r.revision, k.committed_at, k.author, v.content
     FROM record r JOIN version v ON v.id = r.current_version_id JOIN commit k ON k.revision = r.revision
     WHERE r.collection_id = $1 AND r.live ORDER BY r.revision, r.id', name)
    USING collection;
  EXECUTE format('ALTER TABLE mirror.%I ADD CONSTRAINT %I PRIMARY KEY (key)', name, '_' || collection || '_pkey');
  EXECUTE format('CREATE TRIGGER mirror_written_by_commits BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON mirror.%I
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION guard_mirror()', name);
END $$;

-- A collection has a mirror while the definition in force says so. Removing one has to wait for those who read it:
-- not for long, because commits wait meanwhile. What stands in its way (a view that somebody made of it, a table of
-- that name) is told by the name of this trigger.
CREATE FUNCTION follow_mirror() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET lock_timeout = '2s' AS $$
DECLARE
  wanted boolean := coalesce(
    (SELECT d.content::jsonb -> 'mirror' = 'true'::jsonb FROM definition d WHERE d.id = NEW.definition_id), false);
BEGIN
  IF NOT wanted AND NOT NEW.mirrored THEN
    RETURN NULL;
  END IF;
  PERFORM FROM head FOR UPDATE;
  IF NOT wanted THEN
    EXECUTE format('DROP TABLE IF EXISTS mirror.%I', NEW.name);
  ELSIF NOT NEW.mirrored OR to_regclass(format('mirror.%I', NEW.name)) IS NULL THEN
    PERFORM build_mirror(NEW.id, NEW.name);
  END IF;
  UPDATE collection SET mirrored = wanted WHERE id = NEW.id AND mirrored <> wanted;
  RETURN NULL;
EXCEPTION
  -- It is of the class whose name stands below, which would take it in; but it passes, and can be tried again.
  WHEN lock_not_available THEN
    RAISE;
  WHEN dependent_objects_still_exist OR duplicate_table OR duplicate_object OR wrong_object_type
    OR insufficient_privilege OR undefined_object OR invalid_schema_name OR object_not_in_prerequisite_state THEN
    RAISE EXCEPTION '%', SQLERRM USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER collection_mirror AFTER UPDATE OF definition_id ON collection FOR EACH ROW
  WHEN (NEW.definition_id IS DISTINCT FROM OLD.definition_id) EXECUTE FUNCTION follow_mirror();

-- Every entry of the history moves its row of the mirror, in the order of the log, which is the order in which
-- those who follow get them. Collections without a mirror pay for one look. Entries that follow one another in one
-- collection are one statement; the joins are such that they keep the order. A table that somebody dropped is made
-- anew. Whoever has locked a mirror holds up commits for two seconds, then they are refused.
CREATE FUNCTION mirror_changes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET lock_timeout = '2s' SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  run record;
BEGIN
  IF NOT EXISTS (SELECT FROM collection WHERE mirrored) THEN
    RETURN NULL;
  END IF;
  FOR run IN
    SELECT id, name, min(revision) AS first, max(revision) AS last
    FROM (
      SELECT *, count(*) FILTER (WHERE begins) OVER (ORDER BY revision, id) AS number
      FROM (
        SELECT c.id, c.name, a.revision, c.id IS DISTINCT FROM lag(c.id) OVER (ORDER BY a.revision, c.id) AS begins
        FROM (SELECT DISTINCT revision, collection_id FROM added) AS a JOIN collection c ON c.id = a.collection_id
        WHERE c.mirrored
      ) AS touched
    ) AS numbered
    GROUP BY number, id, name ORDER BY number
  LOOP
    IF to_regclass(format('mirror.%I', run.name)) IS NULL THEN
      PERFORM build_mirror(run.id, run.name);
    END IF;
    EXECUTE format(
      'MERGE INTO mirror.%I AS m
       USING (
         SELECT (SELECT key FROM record WHERE id = a.record_id) AS key, a.revision, k.committed_at, k.author,
                v.number, v.content
         FROM (SELECT * FROM added WHERE collection_id = $1 AND revision BETWEEN $2 AND $3 ORDER BY revision, ordinal) AS a
         CROSS JOIN LATERAL (SELECT committed_at, author FROM commit WHERE revision = a.revision LIMIT 1) AS k
         LEFT JOIN LATERAL (SELECT number, content FROM version WHERE id = a.after_version_id LIMIT 1) AS v ON true
       ) AS s ON m.key = s.key
       WHEN MATCHED AND s.number IS NULL THEN DELETE
       WHEN MATCHED THEN UPDATE SET version = s.number, revision = s.revision, committed_at = s.committed_at,
                                    author = s.author, data = s.content
       WHEN NOT MATCHED AND s.number IS NOT NULL THEN
         INSERT (key, version, revision, committed_at, author, data)
         VALUES (s.key, s.number, s.revision, s.committed_at, s.author, s.content)', run.name)
      USING run.id, run.first, run.last;
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER change_mirrored AFTER INSERT ON change
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION mirror_changes();

-- Both run as the role that applies migrations, which owns the mirrors: the service itself needs no rights on them.
-- Nobody else may hang them on a table of their own, or have them find other tables than these.
REVOKE EXECUTE ON FUNCTION follow_mirror(), mirror_changes() FROM PUBLIC;
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION follow_mirror() SET search_path = %I, pg_temp', current_schema());
  EXECUTE format('ALTER FUNCTION mirror_changes() SET search_path = %I, pg_temp', current_schema());
END $$;
