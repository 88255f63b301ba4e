// Runs the benchmarks, after building what has changed of the service and of the benchmarks themselves.
import { build } from './build.mjs';
import { compileScripts } from './lib/compile.mjs';

await build();
await compileScripts('bench');
await import('../dist/bench/main.js');
