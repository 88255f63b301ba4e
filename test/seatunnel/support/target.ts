import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { onTestFinished } from 'vitest';
import { createEmptyDatabase } from '../../support/database.js';
import { root } from '../../support/program.js';
import type { Job } from './job.js';

/** The other PostgreSQL, into which a job writes. */
export interface Target {
  client: pg.Client;
  /** The environment that tells an example of it. */
  settings: Record<string, string>;
  /** Waits until it is so, and looks again whenever something has arrived. Throws when a job fails meanwhile. */
  until(isIt: () => Promise<boolean>, job: Job): Promise<void>;
}

/** A database made by the SQL file of an example; `table` is the one whose rows arrive. */
export async function startTarget(file: string, table: string): Promise<Target> {
  const database = await createEmptyDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  onTestFinished(async () => {
    await client.end();
    await database.drop();
  });
  await client.query(await readFile(join(root, 'examples', 'seatunnel', file), 'utf8'));
  await client.query(`
    CREATE FUNCTION tell_arrival() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_notify('arrival', ''); RETURN NULL; END $$;
    CREATE TRIGGER tell_arrival AFTER INSERT OR UPDATE OR DELETE ON ${table}
      FOR EACH STATEMENT EXECUTE FUNCTION tell_arrival();
    LISTEN arrival`);
  const { hostname, port, pathname, username, password } = new URL(database.url);
  return {
    client,
    settings: {
      TARGET_URL: `jdbc:postgresql://${hostname}:${port}${pathname}`,
      TARGET_DATABASE: pathname.slice(1),
      TARGET_USER: decodeURIComponent(username),
      TARGET_PASSWORD: decodeURIComponent(password),
    },
    until: async (isIt, job) => {
      for (;;) {
        const arrival = new Promise<void>((resolve) => client.once('notification', () => resolve()));
        if (await isIt()) return;
        await Promise.race([arrival, job.failure]);
      }
    },
  };
}
