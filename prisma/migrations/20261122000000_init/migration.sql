-- Diptych's tables. What the service promises is guarded here as well, by keys, checks and triggers, so
-- that neither a bug, nor a second program, nor a person with psql can break it. docs/architecture.md
-- lists each promise, the name that enforces it, and the test that attacks it.

-- A named set of records. definition_id is the definition in force; NULL once the collection is deleted
-- (its name and the history of its records stay, and return with a new definition).
CREATE TABLE collection (
  id            bigint GENERATED ALWAYS AS IDENTITY,
  name          text COLLATE "C" NOT NULL,
  definition_id bigint,
  CONSTRAINT collection_pkey PRIMARY KEY (id),
  CONSTRAINT collection_name_key UNIQUE (name),
  CONSTRAINT collection_name_form CHECK (name ~ '^[a-z][a-z0-9_-]{0,62}$')
);

-- Many pending versions that go live together.
CREATE TABLE changeset (
  id         uuid NOT NULL DEFAULT gen_random_uuid(),
  title      text NOT NULL,
  message    text,
  state      text NOT NULL DEFAULT 'open',
  created_by text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT changeset_pkey PRIMARY KEY (id),
  CONSTRAINT changeset_state_known CHECK (state IN ('open', 'scheduled', 'committed', 'discarded'))
);

-- The log: whatever changes what readers see is one row with one revision. content is the canonical JSON
-- that hash covers; it names the hash before it, so that the log is a chain.
CREATE TABLE commit (
  revision          bigint NOT NULL,
  previous_revision bigint GENERATED ALWAYS AS (NULLIF(revision - 1, 0)) STORED,
  kind              text NOT NULL,
  committed_at      timestamptz(3) NOT NULL,
  author            text NOT NULL,
  message           text,
  changeset_id      uuid,
  reverts           bigint,
  forced            boolean NOT NULL DEFAULT false,
  change_count      integer NOT NULL,
  content           text NOT NULL,
  previous_hash     bytea NOT NULL,
  hash              bytea NOT NULL,
  CONSTRAINT commit_pkey PRIMARY KEY (revision),
  CONSTRAINT commit_revision_hash_key UNIQUE (revision, hash),
  CONSTRAINT commit_revision_positive CHECK (revision > 0),
  CONSTRAINT commit_kind_known CHECK (kind IN ('commit', 'rollback', 'revert', 'definition')),
  CONSTRAINT commit_change_count_positive CHECK (change_count > 0 OR (change_count = 0 AND kind = 'definition')),
  CONSTRAINT commit_reverts_earlier CHECK (reverts < revision),
  CONSTRAINT commit_hash_of_content CHECK (hash = sha256(convert_to(content, 'UTF8'))),
  CONSTRAINT commit_content_agrees CHECK (
    (content::jsonb ->> 'revision')::bigint = revision
    AND content::jsonb ->> 'previousHash' = encode(previous_hash, 'hex')
    AND (content::jsonb ->> 'changeCount')::integer = change_count
    AND content::jsonb ->> 'kind' = kind
    AND content::jsonb ->> 'author' = author
    AND content::jsonb ->> 'message' IS NOT DISTINCT FROM message
    AND (content::jsonb ->> 'forced')::boolean = forced
  ),
  CONSTRAINT commit_chain_start CHECK (revision > 1 OR previous_hash = decode(repeat('00', 32), 'hex')),
  -- Each revision needs the one before it, with the hash that it names: no gap, no fork, no rewriting.
  CONSTRAINT commit_previous_fkey FOREIGN KEY (previous_revision, previous_hash) REFERENCES commit (revision, hash),
  CONSTRAINT commit_changeset_id_fkey FOREIGN KEY (changeset_id) REFERENCES changeset (id),
  CONSTRAINT commit_reverts_fkey FOREIGN KEY (reverts) REFERENCES commit (revision)
);

-- What was live at a moment.
CREATE INDEX commit_committed_at ON commit (committed_at, revision);

-- The one row whose lock puts commits in order.
CREATE TABLE head (
  only_row        boolean NOT NULL DEFAULT true,
  revision        bigint NOT NULL,
  commit_revision bigint GENERATED ALWAYS AS (NULLIF(revision, 0)) STORED,
  hash            bytea NOT NULL,
  committed_at    timestamptz(3) NOT NULL,
  CONSTRAINT head_pkey PRIMARY KEY (only_row),
  CONSTRAINT head_only_row CHECK (only_row),
  CONSTRAINT head_revision_not_negative CHECK (revision >= 0),
  CONSTRAINT head_commit_fkey FOREIGN KEY (commit_revision, hash) REFERENCES commit (revision, hash)
);

-- What a collection demands of its records. Rows are never changed; a new definition is a new row.
CREATE TABLE definition (
  id            bigint GENERATED ALWAYS AS IDENTITY,
  collection_id bigint NOT NULL,
  number        integer NOT NULL,
  revision      bigint NOT NULL,
  content       text NOT NULL,
  digest        bytea NOT NULL,
  CONSTRAINT definition_pkey PRIMARY KEY (id),
  CONSTRAINT definition_collection_id_number_key UNIQUE (collection_id, number),
  CONSTRAINT definition_collection_id_id_key UNIQUE (collection_id, id),
  CONSTRAINT definition_revision_key UNIQUE (revision),
  CONSTRAINT definition_number_positive CHECK (number > 0),
  CONSTRAINT definition_digest_of_content CHECK (digest = sha256(convert_to(content, 'UTF8'))),
  CONSTRAINT definition_collection_id_fkey FOREIGN KEY (collection_id) REFERENCES collection (id),
  CONSTRAINT definition_revision_fkey FOREIGN KEY (revision) REFERENCES commit (revision)
);

ALTER TABLE collection
  ADD CONSTRAINT collection_definition_fkey FOREIGN KEY (id, definition_id) REFERENCES definition (collection_id, id);

-- An identity: collection and key. revision is the one at which it last changed; NULL while the record has
-- only ever been prepared.
CREATE TABLE record (
  id                 bigint GENERATED ALWAYS AS IDENTITY,
  collection_id      bigint NOT NULL,
  key                text COLLATE "C" NOT NULL,
  revision           bigint,
  current_version_id bigint,
  -- The constant part of the pointer's foreign key: it can only lead to a committed version.
  current_committed  boolean NOT NULL DEFAULT true,
  live               boolean GENERATED ALWAYS AS (current_version_id IS NOT NULL) STORED,
  CONSTRAINT record_pkey PRIMARY KEY (id),
  CONSTRAINT record_collection_id_key_key UNIQUE (collection_id, key),
  CONSTRAINT record_id_live_key UNIQUE (id, live),
  CONSTRAINT record_key_length CHECK (char_length(key) BETWEEN 1 AND 255),
  CONSTRAINT record_current_committed CHECK (current_committed),
  CONSTRAINT record_live_has_revision CHECK (revision IS NOT NULL OR current_version_id IS NULL),
  CONSTRAINT record_collection_id_fkey FOREIGN KEY (collection_id) REFERENCES collection (id)
);

-- One state of a record: pending while revision is NULL, then committed and immutable. content is the
-- canonical JSON (RFC 8785) that is served and hashed; data is the same for the database to search.
CREATE TABLE version (
  id              bigint GENERATED ALWAYS AS IDENTITY,
  record_id       bigint NOT NULL,
  revision        bigint,
  number          integer,
  previous_number integer GENERATED ALWAYS AS (NULLIF(number - 1, 0)) STORED,
  committed       boolean GENERATED ALWAYS AS (revision IS NOT NULL) STORED,
  operation       text NOT NULL DEFAULT 'upsert',
  content         text,
  data            jsonb GENERATED ALWAYS AS (content::jsonb) STORED,
  digest          bytea,
  changeset_id    uuid,
  base_version_id bigint,
  message         text,
  staged_by       text[] NOT NULL,
  staged_at       timestamptz(3) NOT NULL,
  updated_at      timestamptz(3) NOT NULL,
  -- Counts the edits of a pending version; with the id it is the entity tag of what was staged.
  edit            integer NOT NULL DEFAULT 1,
  -- The outcome of the last validation and what it was about, while pending.
  validation      jsonb,
  CONSTRAINT version_pkey PRIMARY KEY (id),
  CONSTRAINT version_record_id_number_key UNIQUE (record_id, number),
  CONSTRAINT version_record_id_id_committed_key UNIQUE (record_id, id, committed),
  CONSTRAINT version_record_id_id_key UNIQUE (record_id, id),
  CONSTRAINT version_number_positive CHECK (number > 0),
  CONSTRAINT version_number_with_revision CHECK ((number IS NULL) = (revision IS NULL)),
  CONSTRAINT version_operation_known CHECK (operation IN ('upsert', 'delete')),
  CONSTRAINT version_committed_has_content CHECK (revision IS NULL OR operation = 'upsert'),
  CONSTRAINT version_content_with_operation CHECK ((content IS NOT NULL) = (operation = 'upsert')),
  CONSTRAINT version_content_is_object CHECK (jsonb_typeof(content::jsonb) = 'object'),
  CONSTRAINT version_digest_of_content CHECK (digest IS NOT DISTINCT FROM sha256(convert_to(content, 'UTF8'))),
  CONSTRAINT version_record_id_fkey FOREIGN KEY (record_id) REFERENCES record (id),
  CONSTRAINT version_revision_fkey FOREIGN KEY (revision) REFERENCES commit (revision),
  CONSTRAINT version_changeset_id_fkey FOREIGN KEY (changeset_id) REFERENCES changeset (id),
  CONSTRAINT version_base_fkey FOREIGN KEY (record_id, base_version_id) REFERENCES version (record_id, id),
  -- Version numbers have no gap: each needs the one before it.
  CONSTRAINT version_previous_number_fkey FOREIGN KEY (record_id, previous_number) REFERENCES version (record_id, number)
);

-- At most one pending version per record and changeset; no changeset counts as one.
CREATE UNIQUE INDEX version_one_pending ON version (record_id, changeset_id) NULLS NOT DISTINCT WHERE revision IS NULL;
-- Everything that waits, in the order in which it is listed; and what a changeset holds.
CREATE INDEX version_pending_id ON version (id) WHERE revision IS NULL;

ALTER TABLE record
  ADD CONSTRAINT record_current_version_fkey FOREIGN KEY (id, current_version_id, current_committed)
    REFERENCES version (record_id, id, committed);

-- The history: which record a commit moved, from which version to which. NULL is "not live".
CREATE TABLE change (
  revision          bigint NOT NULL,
  ordinal           integer NOT NULL,
  record_id         bigint NOT NULL,
  collection_id     bigint NOT NULL,
  before_version_id bigint,
  after_version_id  bigint,
  committed         boolean NOT NULL DEFAULT true,
  CONSTRAINT change_pkey PRIMARY KEY (revision, ordinal),
  -- A record changes at most once in a commit; also the way from a record to its history.
  CONSTRAINT change_record_id_revision_key UNIQUE (record_id, revision),
  CONSTRAINT change_ordinal_positive CHECK (ordinal > 0),
  CONSTRAINT change_committed CHECK (committed),
  CONSTRAINT change_moves CHECK (before_version_id IS DISTINCT FROM after_version_id),
  CONSTRAINT change_revision_fkey FOREIGN KEY (revision) REFERENCES commit (revision),
  CONSTRAINT change_record_id_fkey FOREIGN KEY (record_id) REFERENCES record (id),
  CONSTRAINT change_collection_id_fkey FOREIGN KEY (collection_id) REFERENCES collection (id),
  CONSTRAINT change_before_fkey FOREIGN KEY (record_id, before_version_id, committed) REFERENCES version (record_id, id, committed),
  CONSTRAINT change_after_fkey FOREIGN KEY (record_id, after_version_id, committed) REFERENCES version (record_id, id, committed)
);

-- When a version became current.
CREATE INDEX change_after_version_id ON change (after_version_id, revision);
CREATE INDEX change_collection_id_revision ON change (collection_id, revision, ordinal);

-- A record's revision has an entry in the history; checked when the transaction commits.
ALTER TABLE record
  ADD CONSTRAINT record_change_fkey FOREIGN KEY (id, revision) REFERENCES change (record_id, revision)
    DEFERRABLE INITIALLY DEFERRED;

-- The values that a definition keeps unique among live records. Deferred, so that values may swap.
CREATE TABLE unique_value (
  collection_id bigint NOT NULL,
  pointers      text NOT NULL,
  record_id     bigint NOT NULL,
  record_live   boolean NOT NULL DEFAULT true,
  digest        bytea NOT NULL,
  CONSTRAINT unique_value_pkey PRIMARY KEY (record_id, pointers),
  CONSTRAINT unique_value_digest_key UNIQUE (collection_id, pointers, digest) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT unique_value_record_live CHECK (record_live),
  CONSTRAINT unique_value_collection_id_fkey FOREIGN KEY (collection_id) REFERENCES collection (id),
  CONSTRAINT unique_value_record_fkey FOREIGN KEY (record_id, record_live) REFERENCES record (id, live)
    DEFERRABLE INITIALLY DEFERRED
);

-- Which live record refers to which; both ends have to be live when a transaction commits.
CREATE TABLE reference (
  source_record_id bigint NOT NULL,
  pointer          text NOT NULL,
  target_record_id bigint NOT NULL,
  record_live      boolean NOT NULL DEFAULT true,
  CONSTRAINT reference_pkey PRIMARY KEY (source_record_id, pointer, target_record_id),
  CONSTRAINT reference_record_live CHECK (record_live),
  CONSTRAINT reference_source_fkey FOREIGN KEY (source_record_id, record_live) REFERENCES record (id, live)
    DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT reference_target_fkey FOREIGN KEY (target_record_id, record_live) REFERENCES record (id, live)
    DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX reference_target_record_id ON reference (target_record_id);

-- Answers to requests with an Idempotency-Key, written in the transaction of the commit that they tell of.
CREATE TABLE idempotency (
  principal   text NOT NULL,
  key         text NOT NULL,
  fingerprint bytea NOT NULL,
  -- 'committed', or the code of the refusal.
  outcome     text NOT NULL,
  revision    bigint,
  body        jsonb NOT NULL,
  answered_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT idempotency_pkey PRIMARY KEY (principal, key),
  CONSTRAINT idempotency_key_length CHECK (char_length(key) BETWEEN 1 AND 255),
  CONSTRAINT idempotency_revision_fkey FOREIGN KEY (revision) REFERENCES commit (revision)
);

CREATE INDEX idempotency_answered_at ON idempotency (answered_at);

-- Triggers: what keys and checks cannot say. All raise integrity_constraint_violation (23000).

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: its rows are never changed or removed', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;

CREATE TRIGGER commit_append_only BEFORE UPDATE OR DELETE ON commit FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER change_append_only BEFORE UPDATE OR DELETE ON change FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER definition_append_only BEFORE UPDATE OR DELETE ON definition FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER head_never_deleted BEFORE DELETE ON head FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER commit_never_truncated BEFORE TRUNCATE ON commit EXECUTE FUNCTION refuse_change();
CREATE TRIGGER change_never_truncated BEFORE TRUNCATE ON change EXECUTE FUNCTION refuse_change();
CREATE TRIGGER definition_never_truncated BEFORE TRUNCATE ON definition EXECUTE FUNCTION refuse_change();
CREATE TRIGGER head_never_truncated BEFORE TRUNCATE ON head EXECUTE FUNCTION refuse_change();
CREATE TRIGGER record_never_truncated BEFORE TRUNCATE ON record EXECUTE FUNCTION refuse_change();
CREATE TRIGGER version_never_truncated BEFORE TRUNCATE ON version EXECUTE FUNCTION refuse_change();

-- A committed version is immutable and stays; retention, when it comes, will be let through here.
CREATE TRIGGER version_immutable BEFORE UPDATE OR DELETE ON version
  FOR EACH ROW WHEN (OLD.revision IS NOT NULL) EXECUTE FUNCTION refuse_change();

-- A version belongs to its record and changeset for ever.
CREATE FUNCTION guard_version_identity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a version keeps its id, record and changeset'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER version_identity BEFORE UPDATE ON version FOR EACH ROW
  WHEN (OLD.record_id <> NEW.record_id OR OLD.changeset_id IS DISTINCT FROM NEW.changeset_id)
  EXECUTE FUNCTION guard_version_identity();

-- The head only moves forward.
CREATE FUNCTION guard_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.revision <= OLD.revision THEN
    RAISE EXCEPTION 'the head moves forward only: % to %', OLD.revision, NEW.revision
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER head_moves_forward BEFORE UPDATE ON head FOR EACH ROW EXECUTE FUNCTION guard_head();

-- A record keeps its identity, and its pointer moves only together with a newer revision.
CREATE FUNCTION guard_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.collection_id <> NEW.collection_id OR OLD.key <> NEW.key THEN
    RAISE EXCEPTION 'a record keeps its collection and key'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  IF NEW.current_version_id IS DISTINCT FROM OLD.current_version_id OR NEW.revision IS DISTINCT FROM OLD.revision THEN
    IF NEW.revision IS NULL OR NEW.revision <= OLD.revision OR NEW.current_version_id IS NOT DISTINCT FROM OLD.current_version_id THEN
      RAISE EXCEPTION 'the pointer of record % moves only with a newer revision: % to %', OLD.id, OLD.revision, NEW.revision
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER record_pointer_moves_forward BEFORE UPDATE ON record FOR EACH ROW EXECUTE FUNCTION guard_record();

-- A record's first appearance is never live: it becomes so by a change.
CREATE FUNCTION guard_record_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a record begins without a current version'
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER record_begins_empty BEFORE INSERT ON record FOR EACH ROW
  WHEN (NEW.revision IS NOT NULL OR NEW.current_version_id IS NOT NULL) EXECUTE FUNCTION guard_record_insert();

-- The history tells the truth: each entry moved its record's pointer (which moves first, in the same
-- transaction), names the record's own collection, and starts from where the entry before it ended.
CREATE FUNCTION guard_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong_revision bigint;
  wrong_ordinal  integer;
BEGIN
  SELECT added.revision, added.ordinal INTO wrong_revision, wrong_ordinal
  FROM added
  JOIN record ON record.id = added.record_id
  LEFT JOIN LATERAL (
    SELECT earlier.after_version_id FROM change AS earlier
    WHERE earlier.record_id = added.record_id AND earlier.revision < added.revision
    ORDER BY earlier.revision DESC LIMIT 1
  ) AS previous ON true
  WHERE record.revision IS NULL
     OR record.revision < added.revision
     OR (record.revision = added.revision AND record.current_version_id IS DISTINCT FROM added.after_version_id)
     OR record.collection_id <> added.collection_id
     OR previous.after_version_id IS DISTINCT FROM added.before_version_id
     OR EXISTS (SELECT FROM change AS later WHERE later.record_id = added.record_id AND later.revision > added.revision)
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'change %.% does not agree with the pointer or the history of its record', wrong_revision, wrong_ordinal
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER change_agrees AFTER INSERT ON change
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION guard_change();

-- A commit is whole when its transaction ends: all its changes are there, numbered from 1; the head has
-- reached it; its time is not before that of the commit it follows; a definition commit has its definition.
CREATE FUNCTION guard_commit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT count(*) <> NEW.change_count OR coalesce(max(ordinal), 0) <> NEW.change_count FROM change WHERE revision = NEW.revision)
     OR (SELECT head.revision < NEW.revision FROM head)
     OR EXISTS (SELECT FROM commit AS previous WHERE previous.revision = NEW.previous_revision AND previous.committed_at > NEW.committed_at)
  THEN
    RAISE EXCEPTION 'commit % is not whole', NEW.revision
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER commit_is_whole AFTER INSERT ON commit
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_commit();

-- A later entry of the log cannot be slipped under a commit that is already whole.
CREATE FUNCTION guard_change_count() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM added JOIN commit ON commit.revision = added.revision WHERE added.ordinal > commit.change_count) THEN
    RAISE EXCEPTION 'a commit has as many changes as it says'
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER change_within_count AFTER INSERT ON change
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION guard_change_count();

INSERT INTO head (revision, hash, committed_at) VALUES (0, decode(repeat('00', 32), 'hex'), 'epoch');
