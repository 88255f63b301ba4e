// Compiles scripts that are written in TypeScript, scripts/<name>, to dist/<name>.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { withBuildLock } from './lock.mjs';
import { root } from './stamp.mjs';

export async function compileScripts(name) {
  await withBuildLock(() => {
    const tsc = fileURLToPath(new URL('bin/tsc', import.meta.resolve('typescript/package.json')));
    const { status } = spawnSync(process.execPath, [tsc, '-p', `scripts/${name}`], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (status !== 0) {
      console.error(`scripts/${name} could not be compiled.`);
      process.exit(1);
    }
  });
}
