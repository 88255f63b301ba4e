import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.js';
import { applyMigrations } from '../../src/store/migrate.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** A PostgreSQL server of which test databases are made. */
    databaseUrl: string;
    templateDatabase: string;
  }
}

const template = 'diptych_template';

/** One real PostgreSQL for the whole run: the embedded one, or that of TEST_DATABASE_URL. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, stop } = await startServer();
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(`DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
  await admin.query(`CREATE DATABASE ${template} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'`);
  await admin.end();
  const templateUrl = new URL(url);
  templateUrl.pathname = `/${template}`;
  await applyMigrations(templateUrl.href, pino({ level: 'silent' }));
  project.provide('databaseUrl', url);
  project.provide('templateDatabase', template);
  return stop;
}

async function startServer(): Promise<{ url: string; stop: () => Promise<void> }> {
  const url = process.env.TEST_DATABASE_URL;
  if (url) return { url, stop: async () => {} };
  const dataDir = await mkdtemp(join(tmpdir(), 'diptych-test-'));
  const server = await startEmbeddedPostgres({ dataDir, logger: pino({ level: 'silent' }) });
  const stop = async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return { url: server.url, stop };
}
