import type { FastifyReply, FastifyRequest } from 'fastify';
import pg from 'pg';
import { type Header, sendWith, serve } from './serve.js';

// What somebody would write instead of using the service, each with less than the service does:
// a commit per transaction; a table with a draft column and a live one; a list by an indexed column.

export interface HomeMadeConfig {
  databaseUrl: string;
  poolSize: number;
  headers: Header[];
  /** Records by their key: what they hold, by what they are found, and how the service shows them. */
  items: { key: string; price: number; body: string }[];
}

const tables = `
  CREATE TABLE head (only_row boolean PRIMARY KEY DEFAULT true, revision bigint NOT NULL);
  INSERT INTO head (revision) VALUES (0);
  CREATE TABLE commit (revision bigint PRIMARY KEY, committed_at timestamptz NOT NULL, author text NOT NULL);
  CREATE TABLE record (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text COLLATE "C" NOT NULL UNIQUE,
                       revision bigint, number bigint NOT NULL DEFAULT 0, current_version_id bigint);
  CREATE TABLE version (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, record_id bigint NOT NULL REFERENCES record,
                        number bigint NOT NULL, revision bigint NOT NULL REFERENCES commit, content jsonb NOT NULL,
                        UNIQUE (record_id, number));
  ALTER TABLE record ADD FOREIGN KEY (current_version_id) REFERENCES version;
  CREATE TABLE change (revision bigint NOT NULL REFERENCES commit, ordinal integer NOT NULL,
                       record_id bigint NOT NULL REFERENCES record, before_version_id bigint REFERENCES version,
                       after_version_id bigint REFERENCES version, PRIMARY KEY (revision, ordinal));
  CREATE TABLE draft_and_live (key text COLLATE "C" PRIMARY KEY, draft jsonb, live jsonb);
  CREATE TABLE item (key text COLLATE "C" PRIMARY KEY, price integer NOT NULL, body text NOT NULL);
  CREATE INDEX item_price ON item (price, key);`;

/** One transaction as one would write it: the same rows as a commit of the service, and the pointer moved. */
async function commit(client: pg.PoolClient, key: string, content: string): Promise<string> {
  const query = async <Row extends pg.QueryResultRow>(name: string, text: string, values: unknown[]) =>
    (await client.query<Row>({ name, text, values })).rows[0];
  await client.query('BEGIN');
  const head = await query<{ revision: string }>(
    'head',
    'UPDATE head SET revision = revision + 1 RETURNING revision',
    [],
  );
  const revision = head?.revision ?? '0';
  await query('commit', 'INSERT INTO commit VALUES ($1, clock_timestamp(), $2)', [revision, 'bench']);
  const record = await query<{ id: string; number: string; before: string | null }>(
    'record',
    `INSERT INTO record (key) VALUES ($1) ON CONFLICT (key) DO UPDATE SET key = excluded.key
     RETURNING id, number, current_version_id AS before`,
    [key],
  );
  const number = Number(record?.number) + 1;
  const version = await query<{ id: string }>(
    'version',
    'INSERT INTO version (record_id, number, revision, content) VALUES ($1, $2, $3, $4) RETURNING id',
    [record?.id, number, revision, content],
  );
  await query('change', 'INSERT INTO change VALUES ($1, 1, $2, $3, $4)', [
    revision,
    record?.id,
    record?.before,
    version?.id,
  ]);
  await query(
    'pointer',
    'UPDATE record SET revision = $2, number = $3, current_version_id = $4 WHERE id = $1',
    [record?.id, revision, number, version?.id],
  );
  await client.query('COMMIT');
  return revision;
}

serve<HomeMadeConfig>(async (app, { databaseUrl, poolSize, headers, items }) => {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: poolSize });
  await pool.query(tables);
  await pool.query(
    `INSERT INTO item SELECT key, price, body FROM jsonb_to_recordset($1) AS i (key text, price integer, body text)`,
    [JSON.stringify(items)],
  );
  await pool.query(`INSERT INTO draft_and_live (key) SELECT key FROM item`);
  await pool.query('VACUUM ANALYZE');

  type CommitRequest = FastifyRequest<{ Body: { changes: { key: string; data: unknown }[] } }>;
  app.post('/v1/commits', async ({ body }: CommitRequest) => {
    const [change] = body.changes;
    const client = await pool.connect();
    try {
      return { revision: await commit(client, change?.key ?? '', JSON.stringify(change?.data)) };
    } finally {
      client.release();
    }
  });

  type KeyRequest = FastifyRequest<{ Params: { key: string }; Body: { data: unknown } }>;
  const draft = { name: 'draft', text: 'UPDATE draft_and_live SET draft = $2 WHERE key = $1' };
  app.put('/items/:key/draft', async ({ params, body }: KeyRequest) => {
    await pool.query({ ...draft, values: [params.key, JSON.stringify(body.data)] });
    return { key: params.key, data: body.data };
  });
  const publish = {
    name: 'publish',
    text: 'UPDATE draft_and_live SET live = draft, draft = NULL WHERE key = $1',
  };
  app.post('/items/:key/publish', async ({ params }: KeyRequest) => {
    await pool.query({ ...publish, values: [params.key] });
    return { key: params.key };
  });

  type FilterRequest = FastifyRequest<{ Querystring: { price: string } }>;
  const filter = { name: 'filter', text: 'SELECT body FROM item WHERE price = $1 ORDER BY key LIMIT 100' };
  app.get('/items', async ({ query }: FilterRequest, reply: FastifyReply) => {
    const { rows } = await pool.query<{ body: string }>({ ...filter, values: [query.price] });
    return sendWith(reply, headers, `{"items":[${rows.map(({ body }) => body).join(',')}],"next":null}`);
  });
});
