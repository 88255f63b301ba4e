import { pino } from 'pino';
import { type AppOptions, buildApp } from '../../src/app.js';
import { createContext } from '../../src/commands/context.js';
import type { Server } from '../../src/http/server.js';
import { createDrain } from '../../src/lib/drain.js';
import { openDatabase } from '../../src/store/db.js';

// Nothing listens on port 1, and no request that these tests make may need it to.
const NOWHERE = 'postgresql://nobody@127.0.0.1:1/none';

export interface OfflineApp {
  app: Server;
  /** What was logged, line by line. */
  lines: Record<string, unknown>[];
  beginDrain: () => void;
  close: () => Promise<void>;
}

/** The real app on a database that cannot be reached: for everything that is refused before it would be asked. */
export async function offlineApp(config: Partial<AppOptions['config']> = {}): Promise<OfflineApp> {
  const db = openDatabase({ url: NOWHERE, poolSize: 1 });
  const { drain, begin } = createDrain();
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const app = await buildApp({
    context: createContext(db, { maxRecordBytes: 50_000 }),
    config: { authTokens: [], maxBodyBytes: 100_000, ...config },
    logger,
    drain,
  });
  await app.ready();
  const close = async () => {
    await app.close();
    await db.close();
  };
  return { app, lines, beginDrain: begin, close };
}
