import { pino } from 'pino';
import { buildApp } from './app.js';
import { createContext } from './commands/context.js';
import { createDrain } from './lib/drain.js';
import { openDatabase } from './store/db.js';

// The document comes from the routes alone: the pool connects lazily, and nothing ever asks it to.
const NO_DATABASE = 'postgresql://none@127.0.0.1:1/none';
const ANY_SIZE = 1_048_576;

/** `openapi/openapi.json`, whole. */
export async function renderOpenapi(): Promise<string> {
  const db = openDatabase({ url: NO_DATABASE, poolSize: 1 });
  const app = await buildApp({
    context: createContext(db, { maxRecordBytes: ANY_SIZE }),
    config: { authTokens: [], maxBodyBytes: ANY_SIZE },
    logger: pino({ level: 'silent' }),
    drain: createDrain().drain,
  });
  await app.ready();
  const text = `${JSON.stringify(app.swagger(), null, 2)}\n`;
  await app.close();
  await db.close();
  return text;
}
