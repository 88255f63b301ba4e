// Generates the Prisma client into src/generated/prisma, when the schema or Prisma has changed.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { fingerprint, isUpToDate, root, writeStamp } from './lib/stamp.mjs';

const stamp = 'src/generated/.stamp';

export function generate() {
  const now = fingerprint(['prisma/schema.prisma', 'package-lock.json']);
  if (isUpToDate(stamp, now)) {
    return;
  }
  const prisma = fileURLToPath(import.meta.resolve('prisma/build/index.js'));
  const { status, stderr } = spawnSync(process.execPath, [prisma, 'generate', '--no-hints'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      // The command would download a schema engine that it does not use. It is content with any file.
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1',
    },
  });
  if (status !== 0) {
    console.error(`prisma generate failed\n${stderr}`);
    process.exit(1);
  }
  writeStamp(stamp, now);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  generate();
}
