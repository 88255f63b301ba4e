import { DefinitionCache } from '../domain/definition-cache.js';
import { DiptychError } from '../domain/errors.js';
import {
  type AllowList,
  isHostAllowed,
  nothingAllowed,
  refusalOfAddress,
} from '../domain/webhook-address.js';
import { type RetryBounds, retryBounds } from '../domain/webhook-retry.js';
import { Gate } from '../lib/gate.js';
import { GuardedPoster } from '../lib/guarded-post.js';
import type { Db } from '../store/db.js';
import { HeadWatch } from '../store/head-watch.js';
import { PageStarts } from '../store/page-starts.js';
import { createReads, type Reads, type ServedRead } from '../store/reads.js';
import { CommitQueue } from './steps/commit-queue.js';
import { IngestQueue } from './steps/ingest-queue.js';
import { JudgedChangesets } from './steps/judged-changesets.js';
import { StagingQueue } from './steps/staging-queue.js';
import { ValidationQueue } from './steps/validation-queue.js';

/** What commands need; one per process. Queries take the same by the smaller type that they declare. */
export interface Context {
  db: Db;
  heads: HeadWatch;
  reads: Reads;
  pageStarts: PageStarts;
  definitions: DefinitionCache;
  limits: { maxRecordBytes: number };
  commits: CommitQueue;
  staging: StagingQueue;
  ingests: IngestQueue;
  validations: ValidationQueue;
  /**
   * For whoever keeps a connection for as long as work on many records lasts. To be entered before a connection
   * is taken: who waits here with one in hand is waited for by those inside.
   */
  longWork: Gate;
  judged: JudgedChangesets;
  webhooks: WebhookSettings;
}

/** How webhooks are sent. */
export interface WebhookSettings {
  /** What they may reach beside the public Internet. */
  allow: AllowList;
  poster: GuardedPoster;
  /** How long a receiver may take to answer. */
  attemptTimeoutMs: number;
  /** How long what is under way may take when the process is told to stop. */
  stopGraceMs: number;
  /** How often the leader shows the server that it lives: far more often than that ends a session for its silence. */
  beatMs: number;
  /**
   * How long the server may take to answer that before the lead is given up: longer than a statement waits for a lock,
   * and no longer than it takes until the server has ended a session that it hears nothing of.
   */
  beatAnswerMs: number;
  retry: RetryBounds;
  now: () => Date;
}

const attemptTimeoutMs = 15_000;
const stopGraceMs = 5_000;
const beatMs = 3_000;
const beatAnswerMs = 12_000;

function webhookSettings(given: ContextOptions['webhooks'] = {}): WebhookSettings {
  const { allow = nothingAllowed } = given;
  const poster = new GuardedPoster({
    isHostTrusted: (host) => isHostAllowed(host, allow),
    refusalOf: (address) => refusalOfAddress(address, allow),
  });
  return {
    allow,
    poster,
    attemptTimeoutMs,
    stopGraceMs,
    beatMs,
    beatAnswerMs,
    retry: retryBounds,
    now: () => new Date(),
    ...given,
  };
}

/** One connection for the queue of commits, and one for the sweep of retention. */
const connectionsApart = 2;

/** Long work takes half of the other connections; the other half is left to reads and short writes. */
const placesOf = (poolSize: number) => Math.max(1, Math.floor((poolSize - connectionsApart) / 2));

const maxWaitMs = 10_000;

const cacheMaxBytes = 64 * 1024 * 1024;

export interface ContextOptions {
  /** Of canonical JSON per record. */
  maxRecordBytes: number;
  /** How long long work waits for its turn. */
  maxWaitMs?: number;
  /** Of answers to reads that are kept; 0: none are. */
  cacheMaxBytes?: number;
  /** Told of each read that is answered by way of the fence. */
  onServed?: (read: ServedRead) => void;
  webhooks?: Partial<WebhookSettings>;
}

export function createContext(db: Db, options: ContextOptions): Context {
  const definitions = new DefinitionCache();
  const limits = { maxRecordBytes: options.maxRecordBytes };
  const reads = createReads(db, {
    maxBytes: options.cacheMaxBytes ?? cacheMaxBytes,
    ...(options.onServed && { onServed: options.onServed }),
  });
  return {
    db,
    heads: new HeadWatch(db),
    reads,
    pageStarts: new PageStarts(),
    definitions,
    limits,
    commits: new CommitQueue({ db, definitions, limits, reads }),
    staging: new StagingQueue({ db, limits }),
    ingests: new IngestQueue({ db }),
    validations: new ValidationQueue({ db, definitions }),
    longWork: new Gate(placesOf(db.poolSize), {
      maxWaitMs: options.maxWaitMs ?? maxWaitMs,
      refuse: () =>
        new DiptychError(
          'not-ready',
          'Other work on many records has taken all connections that there are for it.',
          { retryAfterSeconds: 5 },
        ),
    }),
    judged: new JudgedChangesets(),
    webhooks: webhookSettings(options.webhooks),
  };
}
