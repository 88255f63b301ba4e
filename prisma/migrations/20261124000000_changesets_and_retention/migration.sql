-- Changesets with their approvals and schedules, and retention: what of the past is kept, archived, deleted.

-- A changeset: pending versions that go live together. ordinal is the order of creation. edit counts the edits
-- of its members: it is the entity tag of what was staged, and what an approval is bound to.
ALTER TABLE changeset
  ADD COLUMN ordinal      bigint GENERATED ALWAYS AS IDENTITY,
  ADD COLUMN edit         bigint NOT NULL DEFAULT 1,
  -- The outcome of the last validation and what it was about.
  ADD COLUMN validation   jsonb,
  ADD COLUMN commit_at    timestamptz(3),
  ADD COLUMN scheduled_by text,
  ADD COLUMN scheduled_at timestamptz(3),
  -- Why the schedule could not be carried out.
  ADD COLUMN refusal      jsonb,
  ADD COLUMN closed_by    text,
  ADD COLUMN closed_at    timestamptz(3),
  ADD CONSTRAINT changeset_ordinal_key UNIQUE (ordinal),
  ADD CONSTRAINT changeset_schedule_complete CHECK (
    state <> 'scheduled' OR (commit_at IS NOT NULL AND scheduled_by IS NOT NULL AND scheduled_at IS NOT NULL)
  ),
  ADD CONSTRAINT changeset_closed_complete CHECK (
    (state IN ('committed', 'discarded')) = (closed_at IS NOT NULL AND closed_by IS NOT NULL)
  );

-- What is due.
CREATE INDEX changeset_commit_at ON changeset (commit_at) WHERE state = 'scheduled';

-- Who approved which state of a changeset: valid as long as the changeset is at that edit. An audit trail.
CREATE TABLE approval (
  changeset_id uuid NOT NULL,
  edit         bigint NOT NULL,
  approver     text NOT NULL,
  -- SHA-256 over the content of all members.
  digest       bytea NOT NULL,
  message      text,
  approved_at  timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT approval_pkey PRIMARY KEY (changeset_id, edit, approver),
  CONSTRAINT approval_changeset_id_fkey FOREIGN KEY (changeset_id) REFERENCES changeset (id)
);

CREATE TRIGGER approval_append_only BEFORE UPDATE OR DELETE ON approval FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approval_never_truncated BEFORE TRUNCATE ON approval EXECUTE FUNCTION refuse_change();
CREATE TRIGGER changeset_never_truncated BEFORE TRUNCATE ON changeset EXECUTE FUNCTION refuse_change();

-- The log names the changeset or the commit that it is about, and its content says the same. A changeset is
-- committed once.
ALTER TABLE commit
  DROP CONSTRAINT commit_content_agrees,
  ADD CONSTRAINT commit_content_agrees CHECK (
    (content::jsonb ->> 'revision')::bigint = revision
    AND content::jsonb ->> 'previousHash' = encode(previous_hash, 'hex')
    AND (content::jsonb ->> 'changeCount')::integer = change_count
    AND content::jsonb ->> 'kind' = kind
    AND content::jsonb ->> 'author' = author
    AND content::jsonb ->> 'message' IS NOT DISTINCT FROM message
    AND (content::jsonb ->> 'forced')::boolean = forced
    AND (content::jsonb ->> 'changeset')::uuid IS NOT DISTINCT FROM changeset_id
    AND (content::jsonb ->> 'reverts')::bigint IS NOT DISTINCT FROM reverts
  ),
  ADD CONSTRAINT commit_reverts_with_kind CHECK ((kind = 'revert') = (reverts IS NOT NULL)),
  ADD CONSTRAINT commit_changeset_id_key UNIQUE (changeset_id);

-- Retention. An archived version has its content compressed in archive; a deleted one has neither, but keeps
-- who, when and digest. readable is what the pointer asks for: committed, with its content at hand. The
-- generated columns are NULL where they are not true, so that committing, which makes them true, is no change
-- of a key that something might refer to.
ALTER TABLE record DROP CONSTRAINT record_current_version_fkey, DROP CONSTRAINT record_current_committed;
ALTER TABLE change
  DROP CONSTRAINT change_before_fkey,
  DROP CONSTRAINT change_after_fkey,
  -- Both follow from the keys over (record, version) and from change_agrees.
  DROP CONSTRAINT change_record_id_fkey,
  DROP CONSTRAINT change_collection_id_fkey;
DROP TRIGGER version_immutable ON version;
DROP TRIGGER version_identity ON version;
ALTER TABLE version
  DROP CONSTRAINT version_base_fkey,
  DROP CONSTRAINT version_record_id_id_key,
  DROP CONSTRAINT version_record_id_id_committed_key,
  DROP CONSTRAINT version_content_with_operation,
  DROP CONSTRAINT version_content_is_object,
  DROP CONSTRAINT version_digest_of_content,
  DROP COLUMN committed;
ALTER TABLE version
  -- How the conflicts of rebasing were resolved, by whom.
  ADD COLUMN resolutions    jsonb,
  ADD COLUMN archive        bytea,
  ADD COLUMN expired_at     timestamptz(3),
  -- The constant part of the base's foreign key: it can only be a committed version.
  ADD COLUMN base_committed boolean NOT NULL DEFAULT true,
  ADD COLUMN committed      boolean GENERATED ALWAYS AS (revision IS NOT NULL OR NULL) STORED,
  ADD COLUMN readable       boolean GENERATED ALWAYS AS ((revision IS NOT NULL AND content IS NOT NULL) OR NULL) STORED;
ALTER TABLE version
  ADD CONSTRAINT version_record_id_id_committed_key UNIQUE (record_id, id, committed),
  ADD CONSTRAINT version_record_id_id_readable_key UNIQUE (record_id, id, readable),
  ADD CONSTRAINT version_base_committed CHECK (base_committed),
  ADD CONSTRAINT version_base_fkey FOREIGN KEY (record_id, base_version_id, base_committed)
    REFERENCES version (record_id, id, committed),
  ADD CONSTRAINT version_content_with_operation CHECK (
    CASE
      WHEN operation = 'delete' THEN content IS NULL AND archive IS NULL AND expired_at IS NULL
      WHEN expired_at IS NULL THEN content IS NOT NULL AND archive IS NULL
      ELSE content IS NULL AND revision IS NOT NULL
    END
  ),
  ADD CONSTRAINT version_content_is_object CHECK (jsonb_typeof(data) = 'object'),
  ADD CONSTRAINT version_digest_of_content CHECK (
    CASE
      WHEN content IS NULL THEN (digest IS NULL) = (operation = 'delete')
      ELSE digest IS NOT DISTINCT FROM sha256(convert_to(content, 'UTF8'))
    END
  );

-- A commit moves pointers in place where a page has room: no index of the record changes.
ALTER TABLE record SET (fillfactor = 70);

-- What a changeset holds, in the order in which it was staged.
CREATE INDEX version_changeset_id ON version (changeset_id, id) WHERE revision IS NULL;
-- When a version ceased to be current.
CREATE INDEX change_before_version_id ON change (before_version_id, revision);
-- What retention looks through: of each record the versions that still have content, or an archive, from the
-- oldest on. What has gone is in neither, so that a run passes none of it.
CREATE INDEX record_collection_id_id ON record (collection_id, id);
CREATE INDEX version_readable ON version (record_id, number, revision) WHERE readable;
CREATE INDEX version_archived ON version (record_id, number, revision) WHERE archive IS NOT NULL;
-- It is compressed already.
ALTER TABLE version ALTER COLUMN archive SET STORAGE EXTERNAL;

ALTER TABLE record RENAME COLUMN current_committed TO current_readable;
ALTER TABLE record
  ADD CONSTRAINT record_current_readable CHECK (current_readable),
  ADD CONSTRAINT record_current_version_fkey FOREIGN KEY (id, current_version_id, current_readable)
    REFERENCES version (record_id, id, readable);
ALTER TABLE change
  ADD CONSTRAINT change_before_fkey FOREIGN KEY (record_id, before_version_id, committed) REFERENCES version (record_id, id, committed),
  ADD CONSTRAINT change_after_fkey FOREIGN KEY (record_id, after_version_id, committed) REFERENCES version (record_id, id, committed);

-- The oldest revision from which on everything that readers saw is whole, per collection; it only moves forward.
ALTER TABLE collection
  ADD COLUMN horizon bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT collection_horizon_not_negative CHECK (horizon >= 0);

-- How far retention has come in a collection, so that whichever instance goes on knows where.
CREATE TABLE retention (
  collection_id bigint NOT NULL,
  -- The record and the number of its version up to which the run under way has come; 0 between runs.
  position      bigint NOT NULL DEFAULT 0,
  number        integer NOT NULL DEFAULT 0,
  -- The definition whose policy the run applies; another one starts it anew.
  definition_id bigint NOT NULL,
  started_at    timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  finished_at   timestamptz(3),
  -- Of the run under way, or of the last.
  archived      bigint NOT NULL DEFAULT 0,
  deleted       bigint NOT NULL DEFAULT 0,
  CONSTRAINT retention_pkey PRIMARY KEY (collection_id),
  CONSTRAINT retention_collection_id_fkey FOREIGN KEY (collection_id) REFERENCES collection (id)
);

-- A committed version never changes and is never removed, but for retention: its content may be archived, be
-- restored from the archive as it was, or be deleted, and that only below the horizon and while no pending
-- version is based on it. That it is not current is the matter of record_current_version_fkey.
-- AFTER triggers, because BEFORE triggers make every UPDATE compute data anew.
CREATE FUNCTION guard_committed_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR NEW.revision IS NULL
     OR (NEW.id, NEW.record_id, NEW.revision, NEW.number, NEW.operation, NEW.digest, NEW.changeset_id, NEW.base_version_id,
         NEW.message, NEW.staged_by, NEW.staged_at, NEW.updated_at, NEW.edit, NEW.validation, NEW.resolutions)
        IS DISTINCT FROM
        (OLD.id, OLD.record_id, OLD.revision, OLD.number, OLD.operation, OLD.digest, OLD.changeset_id, OLD.base_version_id,
         OLD.message, OLD.staged_by, OLD.staged_at, OLD.updated_at, OLD.edit, OLD.validation, OLD.resolutions)
     OR (OLD.content IS NULL AND OLD.archive IS NULL)
     OR (OLD.archive IS NOT NULL AND NEW.archive IS NOT NULL)
     OR (OLD.content IS NOT NULL AND NEW.content IS NOT NULL)
  THEN
    RAISE EXCEPTION '% on version % is refused: what is committed stays as it is', TG_OP, OLD.id
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  IF NEW.content IS NULL AND (
    EXISTS (
      SELECT FROM change h JOIN record r ON r.id = h.record_id JOIN collection c ON c.id = r.collection_id
      WHERE h.before_version_id = OLD.id AND h.revision > c.horizon
    ) OR EXISTS (
      SELECT FROM version p WHERE p.record_id = OLD.record_id AND p.revision IS NULL AND p.base_version_id = OLD.id
    )
  ) THEN
    RAISE EXCEPTION 'version % is above the horizon, or the base of a pending version', OLD.id
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER version_immutable AFTER UPDATE OR DELETE ON version
  FOR EACH ROW WHEN (OLD.revision IS NOT NULL) EXECUTE FUNCTION guard_committed_version();
CREATE TRIGGER version_identity AFTER UPDATE ON version FOR EACH ROW
  WHEN (OLD.record_id <> NEW.record_id OR OLD.changeset_id IS DISTINCT FROM NEW.changeset_id)
  EXECUTE FUNCTION guard_version_identity();

-- What a pending version is based on has its content at hand, or in the archive, at the moment when it becomes the
-- base; from then on version_immutable keeps it. The lock waits for a retention that is just taking the content.
CREATE FUNCTION guard_base() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM version WHERE id = NEW.base_version_id AND (content IS NOT NULL OR archive IS NOT NULL) FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'version % is no base: its content has been deleted', NEW.base_version_id
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER version_base_not_deleted AFTER INSERT OR UPDATE OF base_version_id ON version
  FOR EACH ROW WHEN (NEW.revision IS NULL AND NEW.base_version_id IS NOT NULL) EXECUTE FUNCTION guard_base();

-- Only an open changeset takes edits.
CREATE FUNCTION guard_changeset_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM changeset WHERE id = NEW.changeset_id AND state = 'open') THEN
    RAISE EXCEPTION 'the changeset % is not open', NEW.changeset_id
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER version_in_open_changeset AFTER INSERT OR UPDATE OF content, operation, base_version_id ON version
  FOR EACH ROW WHEN (NEW.changeset_id IS NOT NULL AND NEW.revision IS NULL) EXECUTE FUNCTION guard_changeset_edit();

-- A changeset that has been committed or discarded stays so, and holds nothing that waits; edits only count up.
CREATE FUNCTION guard_changeset() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state IN ('committed', 'discarded') OR NEW.id <> OLD.id OR NEW.edit < OLD.edit
     OR (NEW.state IN ('committed', 'discarded')
         AND EXISTS (SELECT FROM version WHERE changeset_id = NEW.id AND revision IS NULL))
  THEN
    RAISE EXCEPTION 'the changeset % cannot become %', OLD.id, NEW.state
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER changeset_states AFTER UPDATE ON changeset FOR EACH ROW EXECUTE FUNCTION guard_changeset();

-- The horizon only moves forward.
CREATE FUNCTION guard_horizon() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the horizon of % moves forward only: % to %', OLD.name, OLD.horizon, NEW.horizon
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER collection_horizon_moves_forward AFTER UPDATE OF horizon ON collection FOR EACH ROW
  WHEN (NEW.horizon < OLD.horizon) EXECUTE FUNCTION guard_horizon();

-- A commit is whole when its transaction ends: all its changes are there, numbered from 1; the head has
-- reached it; its time is not before that of the commit it follows; what it makes of pending versions were the
-- members of its own changeset, which is committed by it.
CREATE OR REPLACE FUNCTION guard_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) <> NEW.change_count OR coalesce(max(ordinal), 0) <> NEW.change_count FROM change WHERE revision = NEW.revision)
     OR (SELECT head.revision < NEW.revision FROM head)
     OR EXISTS (SELECT FROM commit AS previous WHERE previous.revision = NEW.previous_revision AND previous.committed_at > NEW.committed_at)
     OR EXISTS (
       SELECT FROM change h JOIN version v ON v.id = h.after_version_id
       WHERE h.revision = NEW.revision AND v.revision = NEW.revision AND v.changeset_id IS DISTINCT FROM NEW.changeset_id
     )
     OR (NEW.changeset_id IS NOT NULL AND NOT EXISTS (SELECT FROM changeset WHERE id = NEW.changeset_id AND state = 'committed'))
  THEN
    RAISE EXCEPTION 'commit % is not whole', NEW.revision
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
