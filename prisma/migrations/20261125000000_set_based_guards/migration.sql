-- What the log promises, checked in sets: a commit of ten thousand changes asks once for all of them, where each of
-- its rows asked by itself before, five times over. Rows of the log are never changed or removed, and a version that
-- is committed stays so (version_immutable). What such rows refer to, or are referred to by, has to be looked at
-- only when they are written. docs/adr/0015-guards-as-sets.md says what replaced which key, and why it is as strong.
--
-- A transaction that appends to the log writes in this order: the head, the commits up to it, versions, changes,
-- pointers. When it ends, everything between the old head and the new one is whole (head_log_is_whole).
--
-- Subqueries in these functions are scalar on purpose: they are always looked up by index, row by row. A plan is kept
-- by each connection, and a join would be planned for as many rows as the first statement happened to have.

ALTER TABLE record DROP CONSTRAINT record_change_fkey;
ALTER TABLE change
  DROP CONSTRAINT change_revision_fkey,
  DROP CONSTRAINT change_before_fkey,
  DROP CONSTRAINT change_after_fkey,
  DROP CONSTRAINT change_committed,
  DROP COLUMN committed;
ALTER TABLE version
  DROP CONSTRAINT version_revision_fkey,
  DROP CONSTRAINT version_previous_number_fkey,
  DROP CONSTRAINT version_base_fkey,
  DROP CONSTRAINT version_base_committed,
  DROP CONSTRAINT version_changeset_id_fkey,
  DROP CONSTRAINT version_record_id_id_committed_key,
  DROP COLUMN previous_number,
  DROP COLUMN base_committed,
  DROP COLUMN committed;
ALTER TABLE head DROP CONSTRAINT head_commit_fkey, DROP COLUMN commit_revision;
ALTER TABLE commit
  DROP CONSTRAINT commit_content_agrees,
  DROP CONSTRAINT commit_previous_fkey,
  DROP CONSTRAINT commit_revision_hash_key,
  DROP CONSTRAINT commit_reverts_fkey,
  DROP CONSTRAINT commit_changeset_id_fkey,
  DROP COLUMN previous_revision;

-- Everything that waits, in the order in which it was started. In words that no other query uses, so that none of
-- those that ask for what waits of a record or of a changeset can be planned to walk through all of it.
DROP INDEX version_pending_id;
CREATE INDEX version_pending_id ON version (id) WHERE coalesce(number, 0) = 0;

DROP TRIGGER head_moves_forward ON head;
DROP FUNCTION guard_head();
DROP TRIGGER commit_is_whole ON commit;
DROP FUNCTION guard_commit();
DROP TRIGGER record_pointer_moves_forward ON record;
DROP FUNCTION guard_record();
DROP TRIGGER change_agrees ON change;
DROP FUNCTION guard_change();
DROP TRIGGER change_within_count ON change;
DROP FUNCTION guard_change_count();
DROP TRIGGER version_base_not_deleted ON version;
DROP FUNCTION guard_base();

-- Whether a record is live is NULL where it is not, so that becoming so is no change of a key that something might
-- refer to: it had to be looked for in three tables, for each record that was created.
ALTER TABLE unique_value DROP CONSTRAINT unique_value_record_fkey;
ALTER TABLE reference DROP CONSTRAINT reference_source_fkey, DROP CONSTRAINT reference_target_fkey;
ALTER TABLE record DROP CONSTRAINT record_id_live_key, DROP COLUMN live;
ALTER TABLE record ADD COLUMN live boolean GENERATED ALWAYS AS (current_version_id IS NOT NULL OR NULL) STORED;
ALTER TABLE record ADD CONSTRAINT record_id_live_key UNIQUE (id, live);
ALTER TABLE unique_value ADD CONSTRAINT unique_value_record_fkey FOREIGN KEY (record_id, record_live)
  REFERENCES record (id, live) DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE reference
  ADD CONSTRAINT reference_source_fkey FOREIGN KEY (source_record_id, record_live) REFERENCES record (id, live)
    DEFERRABLE INITIALLY DEFERRED,
  ADD CONSTRAINT reference_target_fkey FOREIGN KEY (target_record_id, record_live) REFERENCES record (id, live)
    DEFERRABLE INITIALLY DEFERRED;

-- A changeset is never removed, so that who names one has to find it only once.
CREATE TRIGGER changeset_never_deleted BEFORE DELETE ON changeset FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The head only moves forward.
CREATE FUNCTION guard_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the head moves forward only: % to %', OLD.revision, NEW.revision
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER head_moves_forward BEFORE UPDATE ON head FOR EACH ROW
  WHEN (NEW.revision <= OLD.revision) EXECUTE FUNCTION guard_head();

-- A commit says in its content what its columns say, and follows the one before it: the hash that it names is that
-- one's, and its time is not earlier. What it undoes is there. The head has reached it already, so that
-- head_log_is_whole looks at it.
CREATE FUNCTION guard_commits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong bigint;
BEGIN
  SELECT added.revision INTO wrong
  FROM (SELECT *, content::jsonb AS told FROM added OFFSET 0) AS added
  WHERE ((told ->> 'revision')::bigint = revision
         AND told ->> 'previousHash' = encode(previous_hash, 'hex')
         AND (told ->> 'changeCount')::integer = change_count
         AND told ->> 'kind' = kind
         AND told ->> 'author' = author
         AND told ->> 'message' IS NOT DISTINCT FROM message
         AND (told ->> 'forced')::boolean = forced
         AND (told ->> 'changeset')::uuid IS NOT DISTINCT FROM changeset_id
         AND (told ->> 'reverts')::bigint IS NOT DISTINCT FROM reverts) IS NOT TRUE
     OR (revision > 1 AND (
          SELECT previous.hash = added.previous_hash AND previous.committed_at <= added.committed_at
          FROM commit AS previous WHERE previous.revision = added.revision - 1) IS NOT TRUE)
     OR (reverts IS NOT NULL AND (SELECT true FROM commit AS undone WHERE undone.revision = added.reverts) IS NULL)
     OR (revision <= (SELECT head.revision FROM head)) IS NOT TRUE
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'commit % does not follow the one before it, or says what it is not', wrong
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER commit_follows AFTER INSERT ON commit
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION guard_commits();

-- A committed version belongs to a commit (the log has no gap up to the head), its number follows the one before it, its base is a committed version of
-- the same record, and the changeset that it names is there. (That of a pending one is there, and open:
-- version_in_open_changeset.)
CREATE FUNCTION guard_versions() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong bigint;
BEGIN
  SELECT written.id INTO wrong
  FROM written
  WHERE revision IS NOT NULL AND (
    revision NOT BETWEEN 1 AND (SELECT head.revision FROM head)
    OR (number > 1 AND (
      SELECT true FROM version AS previous
      WHERE previous.record_id = written.record_id AND previous.number = written.number - 1) IS NULL)
    OR (base_version_id IS NOT NULL AND (
      SELECT base.record_id = written.record_id AND base.revision IS NOT NULL
      FROM version AS base WHERE base.id = written.base_version_id) IS NOT TRUE)
    OR (changeset_id IS NOT NULL AND (SELECT true FROM changeset WHERE changeset.id = written.changeset_id) IS NULL)
  )
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'version % does not follow the one before it, or has no commit, base or changeset', wrong
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER version_inserted_follows AFTER INSERT ON version
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION guard_versions();
CREATE TRIGGER version_committed_follows AFTER UPDATE ON version
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION guard_versions();

-- What a pending version is based on is a committed version of the same record, and has its content at hand, or in
-- the archive, at the moment when it becomes the base; from then on version_immutable keeps it. The lock waits for a
-- retention that is just taking the content.
CREATE FUNCTION guard_base() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM version
  WHERE id = NEW.base_version_id AND record_id = NEW.record_id AND revision IS NOT NULL
    AND (content IS NOT NULL OR archive IS NOT NULL) FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'version % is no base: it is not committed, of another record, or its content has been deleted', NEW.base_version_id
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER version_base_holds AFTER INSERT OR UPDATE OF base_version_id ON version
  FOR EACH ROW WHEN (NEW.revision IS NULL AND NEW.base_version_id IS NOT NULL) EXECUTE FUNCTION guard_base();

-- The history tells the truth: each entry belongs to a commit that counts it, names its record's collection, starts
-- from where the entry before it ended, and leads to a committed version of its record. If this commit made it of a
-- pending version, that was a member of its own changeset. That the pointer follows is the matter of head_log_is_whole.
CREATE FUNCTION guard_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong_revision bigint;
  wrong_ordinal  integer;
BEGIN
  SELECT added.revision, added.ordinal INTO wrong_revision, wrong_ordinal
  FROM added
  WHERE (SELECT added.ordinal <= commit.change_count AND (
           after_version_id IS NULL
           OR (SELECT version.record_id = added.record_id
                 AND (version.revision < added.revision
                      OR version.revision = added.revision AND version.changeset_id IS NOT DISTINCT FROM commit.changeset_id)
               FROM version WHERE version.id = added.after_version_id))
         FROM commit WHERE commit.revision = added.revision) IS NOT TRUE
     OR (SELECT collection_id = added.collection_id FROM record WHERE id = added.record_id) IS NOT TRUE
     OR before_version_id IS DISTINCT FROM (
          SELECT CASE WHEN other.revision < added.revision THEN other.after_version_id ELSE -1 END
          FROM change AS other WHERE other.record_id = added.record_id AND other.revision <> added.revision
          ORDER BY other.revision DESC LIMIT 1)
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'change %.% does not agree with its commit or the history of its record', wrong_revision, wrong_ordinal
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER change_agrees AFTER INSERT ON change
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION guard_changes();

-- A record keeps its identity, and its revision only grows.
CREATE FUNCTION guard_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'record % keeps its collection and key, and its pointer moves only with a newer revision: % to %',
    OLD.id, OLD.revision, NEW.revision
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER record_moves_forward AFTER UPDATE ON record FOR EACH ROW
  WHEN (OLD.collection_id <> NEW.collection_id OR OLD.key <> NEW.key
        OR ((NEW.revision IS DISTINCT FROM OLD.revision OR NEW.current_version_id IS DISTINCT FROM OLD.current_version_id)
            AND (NEW.revision IS NULL OR NEW.revision <= OLD.revision)))
  EXECUTE FUNCTION guard_record();

-- A pointer stands where the history says: at the version, and the revision, of one of its entries.
CREATE FUNCTION guard_pointers() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong bigint;
BEGIN
  SELECT moved.id INTO wrong
  FROM moved
  WHERE revision IS NOT NULL AND (
    SELECT change.after_version_id IS NOT DISTINCT FROM moved.current_version_id
    FROM change WHERE change.record_id = moved.id AND change.revision = moved.revision) IS NOT TRUE
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the pointer of record % moves without an entry in the history', wrong
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER record_pointer_agrees AFTER UPDATE ON record
  REFERENCING NEW TABLE AS moved FOR EACH STATEMENT EXECUTE FUNCTION guard_pointers();

-- When a transaction ends that moved the head, everything between the old head and the new one is whole: the commits
-- are there without a gap, each with all its changes (of which none has a number above their count), the head names
-- the last one, the pointers have followed the changes, and the changesets that were committed are closed.
CREATE FUNCTION guard_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) <> NEW.revision - OLD.revision OR bool_or(added.change_count <> (
               SELECT count(*) FROM change WHERE change.revision = added.revision))
             OR bool_or(added.changeset_id IS NOT NULL AND (
               SELECT state = 'committed' FROM changeset WHERE changeset.id = added.changeset_id) IS NOT TRUE)
      FROM commit AS added WHERE added.revision > OLD.revision AND added.revision <= NEW.revision) IS NOT FALSE
     OR (SELECT hash = NEW.hash AND committed_at = NEW.committed_at FROM commit WHERE revision = NEW.revision) IS NOT TRUE
     OR EXISTS (
       SELECT FROM change AS added
       WHERE added.revision > OLD.revision AND added.revision <= NEW.revision
         AND (SELECT record.revision >= added.revision FROM record WHERE record.id = added.record_id) IS NOT TRUE)
  THEN
    RAISE EXCEPTION 'the log is not whole from % to %', OLD.revision + 1, NEW.revision
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER head_log_is_whole AFTER UPDATE ON head
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_log();
