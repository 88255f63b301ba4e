import { recordTag } from '../domain/entity-tag.js';
import type { KeptRecord } from '../domain/kept-answer.js';
import { recordText } from '../domain/record-text.js';
import type { Db } from './db.js';
import type { Clock } from './fence.js';
import type { Load, ReadCache, Source } from './read-cache.js';
import { type FoundRecord, findRecordStates, type RecordState, type WantedRecord } from './record-states.js';

/** Records of one statement at most. */
const maxBatch = 50;
/** Statements at a time. While as many run, what is wanted gathers for the next. */
const maxRunning = 2;
/** A larger content is asked for by itself, so that an answer of the database stays small. */
const maxSharedBytes = 64 * 1024;
const noLimitBytes = 2 ** 31 - 1;

/** What was found, in a snapshot of a statement that was sent after the record was wanted. */
export interface LoadedRecord {
  found: FoundRecord;
  /** Its answer; null where there is none to give. */
  record: KeptRecord | null;
  head: number;
  /** On the clock that says when reads arrived. */
  sentAt: number;
}

interface Waiting {
  name: string;
  wanted: WantedRecord;
  loaded: Promise<LoadedRecord>;
  resolve: (loaded: LoadedRecord) => void;
  reject: (error: unknown) => void;
}

/** The name of a record's answer in the cache. Names of collections have no spaces, so no two mean the same. */
export function nameOfRecord({ collection, key, at }: WantedRecord): string {
  return at === null ? `${collection}/${key}` : `${at} ${collection}/${key}`;
}

/**
 * Loads what the cache does not have. What is wanted in one turn of the event loop goes into one statement, which is
 * a fence of its own: it was sent after those who wait for it arrived, and tells the news of its snapshot.
 */
export class RecordLoads {
  readonly #db: Db;
  readonly #cache: ReadCache;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Waiting>();
  /** Those whose content is too large to share a statement. */
  readonly #large: Waiting[] = [];
  #running = 0;
  #isScheduled = false;

  constructor(db: Db, cache: ReadCache, clock: Clock) {
    this.#db = db;
    this.#cache = cache;
    this.#clock = clock;
  }

  load(wanted: WantedRecord): Promise<LoadedRecord> {
    const name = nameOfRecord(wanted);
    return (this.#waiting.get(name) ?? this.#gather(name, wanted)).loaded;
  }

  #gather(name: string, wanted: WantedRecord): Waiting {
    let resolve: Waiting['resolve'] = () => {};
    let reject: Waiting['reject'] = () => {};
    const loaded = new Promise<LoadedRecord>((...settle) => {
      [resolve, reject] = settle;
    });
    const waiting = { name, wanted, loaded, resolve, reject };
    this.#waiting.set(name, waiting);
    this.#schedule();
    return waiting;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#running >= maxRunning) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      while (this.#running < maxRunning && this.#large.length + this.#waiting.size > 0) void this.#runNext();
    });
  }

  async #runNext(): Promise<void> {
    const large = this.#large.shift();
    const batch = large ? [large] : [...this.#waiting.values()].slice(0, maxBatch);
    if (!large) for (const { name } of batch) this.#waiting.delete(name);
    this.#running += 1;
    try {
      await this.#ask(batch, large ? noLimitBytes : maxSharedBytes);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#running -= 1;
      if (this.#large.length + this.#waiting.size > 0) this.#schedule();
    }
  }

  async #ask(batch: Waiting[], maxContentBytes: number): Promise<void> {
    this.#clock.now += 1;
    const sentAt = this.#clock.now;
    const since = this.#cache.revision;
    const load = this.#cache.beginLoad();
    const wanted = batch.map((waiting) => waiting.wanted);
    let answer: Awaited<ReturnType<typeof findRecordStates>>;
    try {
      answer = await findRecordStates(this.#db, wanted, { since, maxContentBytes });
    } finally {
      this.#cache.endLoad(load);
    }
    // From here to the last that is kept nothing else has a turn, so no news comes in between.
    const { news, found } = answer;
    this.#cache.advance(news);
    for (const [index, waiting] of batch.entries()) {
      const each = found[index];
      if (each === undefined) throw new Error('a record was not looked for');
      if (each.state?.isLarge) this.#large.push(waiting);
      else waiting.resolve({ ...this.#keep(load, waiting, each, news.head), head: news.head, sentAt });
    }
  }

  #keep(
    load: Load,
    { name, wanted }: Waiting,
    found: FoundRecord,
    head: number,
  ): Pick<LoadedRecord, 'found' | 'record'> {
    const { collection, at } = wanted;
    const { state, horizon } = found;
    const isSettled = at === null || (at <= head && at >= horizon);
    if (!isSettled || !state || !isLive(state)) return { found, record: null };
    const { recordId, revision, digest, content } = state;
    const text = recordText({ ...state, collection }, content);
    const tag = recordTag({ revision, digest: digest.toString('hex') });
    const record: KeptRecord = { type: 'record', text, tag };
    const source: Source = at === null ? { type: 'record', recordId, revision } : { type: 'nothing' };
    this.#cache.keep(load, name, record, source, [text, tag]);
    return { found, record };
  }
}

type LiveState = RecordState & { version: number; content: string; digest: Buffer };

function isLive(state: RecordState): state is LiveState {
  return state.version !== null && state.content !== null && state.digest !== null;
}
