import { setTimeout as delay } from 'node:timers/promises';
import { DiptychError } from '../domain/errors.js';
import { formatPosition, isAfter, type Position } from '../domain/feed-page.js';
import { type FeedView, placeChanges } from '../domain/feed-view.js';
import { Gate } from '../lib/gate.js';
import type { QueryContext } from './context.js';
import { writeView } from './steps/feed-block.js';
import { blockBytes } from './steps/feed-memory.js';
import { readFeedFilter, readFeedPage, readPosition, requireReadable } from './steps/feed-page.js';
import { FeedTail } from './steps/feed-tail.js';

export interface StreamChangesInput {
  /** A revision, or a position that a stream or page has told; the beginning if absent. */
  after?: string | undefined;
  collection?: string | undefined;
  keyPrefix?: string | undefined;
  /** How changes are written; see `FeedView`. */
  view: Pick<FeedView, 'name' | 'write'>;
}

/** What a stream tells the one that sends it. */
export interface StreamEvents {
  /** `take` may have something. */
  onNews: () => void;
  /** It cannot go on, and why. */
  onFailure: (error: unknown) => void;
}

/** How much a reader that is behind the tail is given at a time. */
const catchUp = { limit: 1000, maxBytes: blockBytes };

/** So many read from the database at once; the others wait, so that connections are left for everybody else. */
const readersAtOnce = 2;
const maxWaitMs = 60_000;

/** Before a reader asks again for what the database could not give. */
const pauseMs = 500;

/** All streams of the feed of one process. */
export class ChangeStreams {
  readonly #context: QueryContext;
  readonly #tail: FeedTail;
  readonly #gate = new Gate(readersAtOnce, {
    maxWaitMs,
    refuse: () => new DiptychError('not-ready', 'Too many readers of the feed are behind at this moment.'),
  });

  constructor(context: QueryContext, options: { onError: (error: unknown) => void; maxBytes?: number }) {
    this.#context = context;
    this.#tail = new FeedTail(context, options);
  }

  /** What they share in memory, in bytes. */
  get bytes(): number {
    return this.#tail.bytes;
  }

  /**
   * Begins to follow the feed from a position.
   *
   * @throws DiptychError for what a page of the feed would be refused for as well
   */
  async streamChanges(input: StreamChangesInput): Promise<{
    head: number;
    open: (events: StreamEvents) => ChangeStream;
  }> {
    const position = readPosition(input.after);
    const filter = await readFeedFilter(this.#context, input);
    const head = await requireReadable(this.#context, position, filter);
    const { name, write } = input.view;
    const parts = { context: this.#context, tail: this.#tail, gate: this.#gate };
    return {
      head,
      open: (events) => new ChangeStream(parts, { position, view: { name, write, filter }, events }),
    };
  }
}

interface Parts {
  context: QueryContext;
  tail: FeedTail;
  gate: Gate;
}

/** One reader's way through the feed: by pages of its own while it is behind, then by the tail that all share. */
export class ChangeStream {
  readonly #parts: Parts;
  readonly #view: FeedView;
  readonly #events: StreamEvents;
  readonly #unfollow: () => void;
  #position: Position;
  /** What has been read for this reader alone. */
  #page: { bytes: Buffer; upTo: Position } | null = null;
  #isReading = false;
  #isClosed = false;

  constructor(parts: Parts, start: { position: Position; view: FeedView; events: StreamEvents }) {
    this.#parts = parts;
    this.#view = start.view;
    this.#events = start.events;
    this.#position = start.position;
    this.#unfollow = parts.tail.follow(start.events.onNews);
  }

  /** Everything up to here has been taken. */
  get position(): string {
    return formatPosition(this.#position);
  }

  /** The next bytes, whole changes all of them; null when there are none yet. */
  take(): Buffer | null {
    while (!this.#isClosed && !this.#isReading) {
      const part = this.#next();
      if (part === null) return null;
      this.#position = part.upTo;
      if (part.bytes.length > 0) return part.bytes;
    }
    return null;
  }

  close(): void {
    this.#isClosed = true;
    this.#page = null;
    this.#unfollow();
  }

  #next(): { bytes: Buffer; upTo: Position } | null {
    const page = this.#page;
    this.#page = null;
    if (page !== null) return page;
    const part = this.#parts.tail.take(this.#position, this.#view);
    if (part.type === 'bytes') return part;
    if (part.type === 'behind') void this.#read();
    return null;
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      const page = await this.#parts.gate.run(() => this.#readPage());
      if (page !== null && isAfter(page.upTo, this.#position)) this.#page = page;
    } catch (error) {
      if (!(error instanceof DiptychError && error.code === 'not-ready')) {
        if (!this.#isClosed) this.#events.onFailure(error);
        return;
      }
      // A database that is away for a moment ends no stream.
      await delay(pauseMs, undefined, { ref: false });
    }
    this.#isReading = false;
    if (!this.#isClosed) this.#events.onNews();
  }

  /** Null for a reader that has gone while it waited for its turn. */
  async #readPage(): Promise<{ bytes: Buffer; upTo: Position } | null> {
    if (this.#isClosed) return null;
    const { context } = this.#parts;
    const { filter } = this.#view;
    const after = this.#position;
    const head = await requireReadable(context, after, filter);
    const { changes, next } = await readFeedPage(context, { ...catchUp, after, head, filter });
    return { bytes: writeView(placeChanges(changes, next), this.#view, next), upTo: next };
  }
}
