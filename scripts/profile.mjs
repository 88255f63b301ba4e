// Profiles the service under the load of a benchmark, after building what has changed.
import { build } from './build.mjs';
import { compileScripts } from './lib/compile.mjs';

await build();
await compileScripts('bench');
await import('../dist/bench/profile.js');
