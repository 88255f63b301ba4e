import type { FastifyReply, FastifyRequest } from 'fastify';
import pg from 'pg';
import { type Header, sendWith, serve } from './serve.js';

// Reads as most services do them: each request asks the database, by one prepared statement on a pool as large as
// that of the service, and sends the same bytes. It reads the tables of the service.

export interface JoinsConfig {
  databaseUrl: string;
  poolSize: number;
  headers: Header[];
  /** The key after which the page of a cursor begins. */
  cursors: Record<string, { after: string; next: string | null }>;
}

interface Row {
  collection: string;
  key: string;
  version: string;
  revision: string;
  content: string;
  digest: Buffer;
  committedAt: Date;
  committedBy: string;
  message: string | null;
}

const select = `
  SELECT c.name AS collection, r.key, v.number AS version, r.revision, v.content, v.digest,
         k.committed_at AS "committedAt", k.author AS "committedBy", k.message, head.revision AS head
  FROM head JOIN collection c ON c.name = $1 JOIN record r ON r.collection_id = c.id
  JOIN version v ON v.id = r.current_version_id JOIN commit k ON k.revision = r.revision`;

const one = { name: 'one', text: `${select} WHERE r.key = $2` };
const page = { name: 'page', text: `${select} WHERE r.key > $2 ORDER BY r.key LIMIT $3` };

serve<JoinsConfig>((app, { databaseUrl, poolSize, headers, cursors }) => {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: poolSize });
  const query = async (statement: { name: string; text: string }, values: unknown[]) =>
    (await pool.query<Row & { head: string }>({ ...statement, values })).rows;

  type RecordRequest = FastifyRequest<{ Params: { collection: string; key: string } }>;
  app.get(
    '/v1/collections/:collection/records/:key',
    async ({ params }: RecordRequest, reply: FastifyReply) => {
      const [row] = await query(one, [params.collection, params.key]);
      if (row === undefined) {
        return reply.code(404).send();
      }
      reply.header('etag', `"r${row.revision}.${row.digest.toString('hex', 0, 8)}"`);
      reply.header('diptych-revision', row.head);
      return sendWith(reply, headers, textOf(row));
    },
  );

  type ListRequest = FastifyRequest<{
    Params: { collection: string };
    Querystring: { limit: string; cursor?: string };
  }>;
  app.get(
    '/v1/collections/:collection/records',
    async ({ params, query: given }: ListRequest, reply: FastifyReply) => {
      const { after, next } = cursors[given.cursor ?? ''] ?? { after: '', next: null };
      const rows = await query(page, [params.collection, after, Number(given.limit)]);
      const head = rows[0]?.head ?? '0';
      reply.header('diptych-revision', head);
      const items = rows.map(textOf).join(',');
      return sendWith(
        reply,
        headers,
        `{"items":[${items}],"next":${JSON.stringify(next)},"revision":${head}}`,
      );
    },
  );
});

/** What is stored is JSON already, so it need not be read and written again. */
function textOf(row: Row): string {
  const { collection, key, version, revision, content, committedAt, committedBy, message } = row;
  return (
    `{"collection":"${collection}","key":${JSON.stringify(key)},"version":${version},"revision":${revision},` +
    `"data":${content},"committedAt":"${committedAt.toISOString()}","committedBy":${JSON.stringify(committedBy)},` +
    `"message":${JSON.stringify(message)}}`
  );
}
