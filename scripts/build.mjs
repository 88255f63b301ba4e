// Builds dist/ from src/, when something has changed since the last time.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from './generate.mjs';
import { withBuildLock } from './lib/lock.mjs';
import { fingerprint, isUpToDate, root, writeStamp } from './lib/stamp.mjs';

const stamp = 'dist/.stamp';

export async function build() {
  if (isBuilt()) {
    return;
  }
  await withBuildLock(() => {
    if (!isBuilt()) {
      generate();
      compile();
    }
  });
}

function sources() {
  return fingerprint([
    'src',
    'prisma/schema.prisma',
    'tsconfig.json',
    'tsconfig.build.json',
    'package-lock.json',
  ]);
}

function isBuilt() {
  return isUpToDate(stamp, sources());
}

function compile() {
  console.error('Building …');
  // Files whose source is gone must not stay.
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) {
    console.error('The build failed.');
    process.exit(1);
  }
  writeStamp(stamp, sources());
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build();
}
