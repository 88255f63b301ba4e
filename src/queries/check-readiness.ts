import type { Db } from '../store/db.js';
import { findHead } from '../store/head.js';
import { findMissingMigration } from '../store/migrate.js';
import type { QueryContext } from './context.js';

const timeoutMs = 1_000;

/** Databases that have been seen with all migrations: they are not taken back, so that is asked for once. */
const migrated = new WeakSet<Db>();

/** Whether the database answers within a second, and has every migration that this build ships. */
export async function checkReadiness(
  context: Pick<QueryContext, 'db'>,
): Promise<{ ready: boolean; checks: { database: string } }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('no answer within a second'), timeoutMs);
  });
  const asked = checkDatabase(context.db).catch(() => 'cannot be reached');
  const database = await Promise.race([asked, late]);
  clearTimeout(timer);
  return { ready: database === 'ok', checks: { database } };
}

async function checkDatabase(db: Db): Promise<string> {
  if (!migrated.has(db)) {
    const missing = await findMissingMigration(db);
    if (missing !== null) return `misses the migration ${missing}`;
    migrated.add(db);
  }
  await findHead(db);
  return 'ok';
}
