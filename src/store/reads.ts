import type { KeptPage } from '../domain/kept-answer.js';
import type { Db } from './db.js';
import { type Clock, Fence } from './fence.js';
import { ReadCache } from './read-cache.js';
import { RecordLoads } from './record-loads.js';

/** How a read was answered. It is right when `sentAt` is above `arrivedAt`, and `revision` is not below `head`. */
export interface ServedRead {
  /** When it arrived, on the clock of the fence. */
  arrivedAt: number;
  /** When the statement was sent that it waited for. */
  sentAt: number;
  /** What that statement saw. */
  head: number;
  /** The state that was shown; of the past where that was asked for. */
  revision: number;
  isPast: boolean;
}

/** What reads need that are answered from memory; one per process. */
export interface Reads {
  clock: Clock;
  cache: ReadCache;
  fence: Pick<Fence, 'cover' | 'whenCovered'>;
  records: RecordLoads;
  /** Pages of lists that are being read, by their names, and the state that each is read at, or a newer one. */
  pages: Map<string, { revision: number; page: Promise<KeptPage> }>;
  onServed?: (read: ServedRead) => void;
}

/** @param options.maxBytes of answers that are kept; 0: none are */
export function createReads(
  db: Db,
  options: { maxBytes: number; onServed?: (read: ServedRead) => void },
): Reads {
  const { maxBytes, ...rest } = options;
  const clock: Clock = { now: 0 };
  const cache = new ReadCache(maxBytes);
  return {
    ...rest,
    clock,
    cache,
    fence: new Fence(db, cache, clock),
    records: new RecordLoads(db, cache, clock),
    pages: new Map(),
  };
}
