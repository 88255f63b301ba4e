// Runs the demo, after building what has changed of the service and of the demo itself.
import { build } from './build.mjs';
import { compileScripts } from './lib/compile.mjs';

await build();
await compileScripts('demo');
await import('../dist/demo/main.js');
