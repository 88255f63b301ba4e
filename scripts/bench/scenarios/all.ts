import type { Scenario } from '../scenario.js';
import { hotReads } from './hot-reads.js';

/** In the order in which they run: those that write much come last. */
export const scenarios: readonly Scenario[] = [hotReads];
