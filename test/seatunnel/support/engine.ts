import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** What there is of Apache SeaTunnel on Maven Central: the newest engine, and the newest that has Postgres-CDC. */
export const engineVersions = ['2.3.8', '2.3.4'] as const;

export type EngineVersion = (typeof engineVersions)[number];

const sources = fileURLToPath(new URL('../engine/', import.meta.url));
export const engineConfig = join(sources, 'config');

/** Where an engine lies: outside the repository, so that a clean checkout does not fetch it anew. */
export function engineHome(version: EngineVersion): string {
  const cache = process.env.SEATUNNEL_CACHE ?? join(homedir(), '.cache', 'diptych-seatunnel');
  return join(cache, version);
}

/** Puts an engine together with Maven, unless that was done already by the same instructions. */
export async function assembleEngine(version: EngineVersion): Promise<void> {
  const home = engineHome(version);
  const pom = join(sources, version, 'pom.xml');
  const instructions = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex');
  const stamp = join(home, 'assembled-by');
  const isThere = (await readFile(stamp, 'utf8').catch(() => '')) === instructions;
  if (!isThere) {
    console.log(`Fetching Apache SeaTunnel ${version} from Maven Central into ${home} …`);
    await rm(home, { recursive: true, force: true });
    await mkdir(home, { recursive: true });
    await run('mvn', ['--batch-mode', '--quiet', '--file', pom, 'package', `-Dengine.home=${home}`]);
  }
  await copyFile(
    join(engineConfig, 'plugin-mapping.properties'),
    join(home, 'connectors', 'plugin-mapping.properties'),
  );
  await writeFile(stamp, instructions);
}

async function run(program: string, args: string[]): Promise<void> {
  try {
    await promisify(execFile)(program, args);
  } catch (error) {
    const { stdout, message } = error as { stdout?: string; message: string };
    throw new Error(`${message}\n${stdout ?? ''}`);
  }
}
