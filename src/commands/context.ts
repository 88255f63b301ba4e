import { DefinitionCache } from '../domain/definition-cache.js';
import { Gate } from '../lib/gate.js';
import type { Db } from '../store/db.js';
import { HeadWatch } from '../store/head-watch.js';
import { CommitQueue } from './steps/commit-queue.js';

/** What commands need; one per process. Queries take the same by the smaller type that they declare. */
export interface Context {
  db: Db;
  heads: HeadWatch;
  definitions: DefinitionCache;
  limits: { maxRecordBytes: number };
  commits: CommitQueue;
  /** Definitions that are held against many records: each takes a connection for as long as that lasts. */
  assessments: Gate;
}

const assessmentsAtOnce = 2;

/** @param options.maxRecordBytes of canonical JSON per record */
export function createContext(db: Db, options: { maxRecordBytes: number }): Context {
  const definitions = new DefinitionCache();
  const limits = { maxRecordBytes: options.maxRecordBytes };
  return {
    db,
    heads: new HeadWatch(db),
    definitions,
    limits,
    commits: new CommitQueue({ db, definitions, limits }),
    assessments: new Gate(assessmentsAtOnce),
  };
}
