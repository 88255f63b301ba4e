-- Endpoints that are told of every change after a position in the log.
CREATE TABLE webhook (
  id                uuid NOT NULL DEFAULT gen_random_uuid(),
  number            bigint GENERATED ALWAYS AS IDENTITY,
  url               text NOT NULL,
  description       text,
  -- Null: the changes of all collections.
  collection        text,
  key_prefix        text,
  created_by        text NOT NULL,
  created_at        timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  -- Counts what its owner changed: what its entity tag names.
  edit              bigint NOT NULL DEFAULT 1,
  -- Why nothing is sent; null while it is.
  paused            text,
  -- The position up to which everything has been delivered.
  revision          bigint NOT NULL,
  ordinal           integer NOT NULL,
  -- Counts how often the position was set by hand, or the receiver or the filter became another. What a sender began
  -- in an earlier turn moves nothing.
  turn              bigint NOT NULL DEFAULT 1,
  -- Attempts at the next event that failed.
  failures          integer NOT NULL DEFAULT 0,
  next_attempt_at   timestamptz(3),
  last_error        jsonb,
  last_delivered_at timestamptz(3),
  CONSTRAINT webhook_pkey PRIMARY KEY (id),
  CONSTRAINT webhook_number_key UNIQUE (number),
  CONSTRAINT webhook_paused_known CHECK (paused IN ('by-hand', 'gone', 'position-expired')),
  CONSTRAINT webhook_position_possible CHECK (revision >= 0 AND ordinal > 0),
  CONSTRAINT webhook_failures_possible CHECK (failures >= 0)
);

-- Within one turn the position only moves forward: whatever a sender believes, it takes nothing back.
CREATE FUNCTION guard_webhook_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the position of the webhook % moves forward only: %.% to %.%',
    OLD.id, OLD.revision, OLD.ordinal, NEW.revision, NEW.ordinal
    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;
CREATE TRIGGER webhook_position_moves_forward AFTER UPDATE ON webhook FOR EACH ROW
  WHEN (NEW.turn < OLD.turn OR (NEW.turn = OLD.turn AND (NEW.revision, NEW.ordinal) < (OLD.revision, OLD.ordinal)))
  EXECUTE FUNCTION guard_webhook_position();

-- What deliveries are signed with. A table of its own, so that nothing that reads webhooks reads secrets on the way,
-- and a role that may read everything else need not read them.
CREATE TABLE webhook_secret (
  id         bigint GENERATED ALWAYS AS IDENTITY,
  webhook_id uuid NOT NULL,
  secret     bytea NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
  -- Null: that of now.
  expires_at timestamptz(3),
  CONSTRAINT webhook_secret_pkey PRIMARY KEY (id),
  CONSTRAINT webhook_secret_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES webhook (id) ON DELETE CASCADE,
  CONSTRAINT webhook_secret_length CHECK (octet_length(secret) BETWEEN 24 AND 64)
);
CREATE INDEX webhook_secret_webhook_id ON webhook_secret (webhook_id);
CREATE UNIQUE INDEX webhook_secret_one_current ON webhook_secret (webhook_id) WHERE expires_at IS NULL;

-- Each attempt, for whoever looks for what became of an event. Old ones are removed by a job.
CREATE TABLE webhook_delivery (
  id          bigint GENERATED ALWAYS AS IDENTITY,
  webhook_id  uuid NOT NULL,
  event_id    text NOT NULL,
  attempt     integer NOT NULL,
  at          timestamptz(3) NOT NULL,
  status      integer,
  error       text,
  duration_ms integer NOT NULL,
  CONSTRAINT webhook_delivery_pkey PRIMARY KEY (id),
  CONSTRAINT webhook_delivery_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES webhook (id) ON DELETE CASCADE
);
CREATE INDEX webhook_delivery_newest ON webhook_delivery (webhook_id, id);
CREATE INDEX webhook_delivery_at ON webhook_delivery (at);
