-- What the job needs in the PostgreSQL that it writes to: a table of the columns of a mirror.
CREATE TABLE products (
  key          text PRIMARY KEY,
  version      bigint NOT NULL,
  revision     bigint NOT NULL,
  committed_at timestamptz NOT NULL,
  author       text NOT NULL,
  data         text NOT NULL
);
