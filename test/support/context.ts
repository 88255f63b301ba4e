import { onTestFinished } from 'vitest';
import { type Context, type ContextOptions, createContext } from '../../src/commands/context.js';
import { type Db, openDatabase } from '../../src/store/db.js';
import { createTestDatabase } from './database.js';

export const ann = { name: 'ann', admin: false };

interface InstanceOptions extends Partial<ContextOptions> {
  poolSize?: number;
  /** Something put between an instance and its database. */
  wrap?: (db: Db) => Db;
}

/** As many instances of the service as asked for, on one database of their own, gone after the test. */
export async function createInstances(
  count: number,
  { poolSize = 5, wrap = (db) => db, ...options }: InstanceOptions = {},
): Promise<Context[]> {
  const database = await createTestDatabase();
  const databases = Array.from({ length: count }, () => openDatabase({ url: database.url, poolSize }));
  onTestFinished(async () => {
    await Promise.all(databases.map((db) => db.close()));
    await database.drop();
  });
  return databases.map((db) => createContext(wrap(db), { maxRecordBytes: 1024 * 1024, ...options }));
}

/** One instance of the service on a database of its own. */
export async function createInstance(): Promise<Context> {
  const [context] = await createInstances(1);
  if (context === undefined) throw new Error('no instance');
  return context;
}
