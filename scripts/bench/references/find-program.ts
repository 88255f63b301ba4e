import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian puts the programs of each PostgreSQL. */
const POSTGRES = '/usr/lib/postgresql';

/** The path of a program that may be installed, or null. */
export function findProgram(name: string): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const versions = existsSync(POSTGRES) ? readdirSync(POSTGRES).sort().reverse() : [];
  const paths = [...folders, ...versions.map((version) => join(POSTGRES, version, 'bin'))];
  return paths.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}
