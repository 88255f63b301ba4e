// Runs the demo, after building what has changed of the service and of the demo itself.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { withBuildLock } from './lib/lock.mjs';
import { root } from './lib/stamp.mjs';

await build();
await withBuildLock(compileDemo);
await import('../dist/demo/main.js');

function compileDemo() {
  const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'scripts/demo'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) {
    console.error('The demo could not be compiled.');
    process.exit(1);
  }
}
