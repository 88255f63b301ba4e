import { onTestFinished } from 'vitest';
import { type Context, createContext } from '../../src/commands/context.js';
import { openDatabase } from '../../src/store/db.js';
import { createTestDatabase } from './database.js';

export const ann = { name: 'ann', admin: false };

/** As many instances of the service as asked for, on one database of their own, gone after the test. */
export async function createInstances(
  count: number,
  options: { poolSize?: number } = {},
): Promise<Context[]> {
  const database = await createTestDatabase();
  const databases = Array.from({ length: count }, () =>
    openDatabase({ url: database.url, poolSize: options.poolSize ?? 5 }),
  );
  onTestFinished(async () => {
    await Promise.all(databases.map((db) => db.close()));
    await database.drop();
  });
  return databases.map((db) => createContext(db, { maxRecordBytes: 1024 * 1024 }));
}

/** One instance of the service on a database of its own. */
export async function createInstance(): Promise<Context> {
  const [context] = await createInstances(1);
  if (context === undefined) throw new Error('no instance');
  return context;
}
