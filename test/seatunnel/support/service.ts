import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { root, startProgram } from '../../support/program.js';

/** A directory that goes with the test. */
export async function workDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'diptych-seatunnel-'));
  // An engine that was killed may still be writing.
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}

/** The service as it is started by its users, with the PostgreSQL that it brings. */
export interface Service {
  url: string;
  dataDir: string;
  send<Body>(method: string, path: string, body?: object): Promise<{ status: number; body: Body }>;
}

export async function startService(): Promise<Service> {
  await promisify(execFile)(process.execPath, ['scripts/build.mjs'], { cwd: root });
  const dataDir = await workDirectory();
  const url = await startProgram({ DATA_DIR: dataDir }).ready();
  return {
    url,
    dataDir,
    send: async <Body>(method: string, path: string, body?: object) => {
      const response = await fetch(`${url}${path}`, {
        method,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      return { status: response.status, body: (await response.json()) as Body };
    },
  };
}
