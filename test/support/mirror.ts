import type { Executor } from '../../src/store/db.js';

/** A row of a mirror, as text where the database has a number or a time. */
export interface MirrorRow {
  key: string;
  version: number;
  revision: number;
  committedAt: Date;
  author: string;
  data: string;
}

/** What the mirror of a collection holds, by key; null when there is no such table. */
export async function readMirror(db: Executor, collection: string): Promise<MirrorRow[] | null> {
  const [found] = await db.query<{ name: string | null }>(
    `SELECT to_regclass(format('mirror.%I', $1::text))::text AS name`,
    [collection],
  );
  if (!found?.name) return null;
  return await db.queryOnce<MirrorRow>(
    `SELECT key, version, revision, committed_at AS "committedAt", author, data FROM ${found.name} ORDER BY key`,
  );
}

/** What the mirror of a collection has to hold: its live records. */
export function readLive(db: Executor, collection: string): Promise<MirrorRow[]> {
  return db.query(
    `SELECT r.key, v.number::bigint AS version, r.revision, k.committed_at AS "committedAt", k.author, v.content AS data
     FROM record r JOIN collection c ON c.id = r.collection_id JOIN version v ON v.id = r.current_version_id
     JOIN commit k ON k.revision = r.revision
     WHERE c.name = $1 AND r.current_version_id IS NOT NULL ORDER BY r.key`,
    [collection],
  );
}

/** Collections with a mirror in the database, and those in the publication. */
export async function listMirrors(db: Executor): Promise<{ tables: string[]; published: string[] }> {
  const [row] = await db.query<{ tables: string[]; published: string[] }>(
    `SELECT ARRAY(SELECT relname::text FROM pg_class WHERE relnamespace = 'mirror'::regnamespace AND relkind = 'r' ORDER BY 1) AS tables,
            ARRAY(SELECT tablename::text FROM pg_publication_tables WHERE pubname = 'diptych' ORDER BY 1) AS published`,
  );
  return row ?? { tables: [], published: [] };
}

/** Where the mirrors are other than what the definitions in force and the live records say. */
export async function auditMirrors(db: Executor): Promise<string[]> {
  const wanted = await db.query<{ name: string }>(
    `SELECT c.name FROM collection c JOIN definition d ON d.id = c.definition_id
     WHERE d.content::jsonb ->> 'mirror' = 'true' ORDER BY c.name`,
  );
  const names = wanted.map(({ name }) => name);
  const { tables, published } = await listMirrors(db);
  const wrong: string[] = [];
  if (tables.join() !== names.join()) wrong.push(`there are mirrors of ${tables}, not of ${names}`);
  if (published.join() !== names.join()) wrong.push(`published are ${published}, not ${names}`);
  for (const name of names) {
    const [mirror, live] = [await readMirror(db, name), await readLive(db, name)];
    if (JSON.stringify(mirror) !== JSON.stringify(live))
      wrong.push(`the mirror of ${name} is not what is live`);
  }
  return wrong;
}
