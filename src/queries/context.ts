import type { Db } from '../store/db.js';
import type { HeadWatch } from '../store/head-watch.js';
import type { PageStarts } from '../store/page-starts.js';
import type { Reads } from '../store/reads.js';

/** What questions need. */
export interface QueryContext {
  db: Db;
  heads: HeadWatch;
  reads: Reads;
  /** Of the feed. */
  pageStarts: PageStarts;
}
