import type { Scenario } from '../scenario.js';
import { changeset } from './changeset.js';
import { coldReads } from './cold-reads.js';
import { commits } from './commits.js';
import { contention } from './contention.js';
import { cycles } from './cycles.js';
import { feed } from './feed.js';
import { filteredLists } from './filtered-lists.js';
import { hotReads } from './hot-reads.js';
import { lists } from './lists.js';
import { notModified } from './not-modified.js';
import { readsBesideCommits } from './reads-beside-commits.js';
import { soak } from './soak.js';

/** In the order in which they run: those that write much come last. */
export const scenarios: readonly Scenario[] = [
  hotReads,
  notModified,
  lists,
  filteredLists,
  coldReads,
  feed,
  readsBesideCommits,
  cycles,
  commits,
  contention,
  changeset,
  soak,
];
