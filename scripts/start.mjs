// Starts the service, after building what has changed. It runs in this very process, so that signals reach it.
import { build } from './build.mjs';

await build();
await import('../dist/main.js');
