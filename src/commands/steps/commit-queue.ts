import { DiptychError } from '../../domain/errors.js';
import type { CommitRequest } from '../../domain/intent.js';
import type { Committed, Outcome } from '../../domain/outcome.js';
import { onceQuiet } from '../../lib/once-quiet.js';
import { type Db, withTransaction } from '../../store/db.js';
import type { ReadCache } from '../../store/read-cache.js';
import { inFlight } from './answers.js';
import { type PublishContext, publish } from './publish.js';

/** How much waits, and how much goes into one transaction. */
export interface QueueBounds {
  /** Commits of one transaction. More make each of them hardly cheaper, and all of them wait longer. */
  group: number;
  /** Members that they have together, and bytes of content: about a tenth of a second. A larger commit goes alone. */
  groupMembers: number;
  groupBytes: number;
  /** Commits that may wait, and their bytes; beyond that the caller is told to come back. */
  waiting: number;
  waitingBytes: number;
}

const usualBounds: QueueBounds = {
  group: 256,
  groupMembers: 2_000,
  groupBytes: 8 * 1024 * 1024,
  waiting: 10_000,
  waitingBytes: 64 * 1024 * 1024,
};

/** How often a commit is prepared before its caller is told to come back. */
const maxPreparations = 5;

interface QueueContext extends PublishContext {
  db: Db;
  /** Told of what has been committed here. */
  reads: { cache: Pick<ReadCache, 'follow'> };
}

interface Entry {
  request: CommitRequest;
  members: number;
  bytes: number;
  resolve: (outcome: Outcome) => void;
  reject: (error: unknown) => void;
}

/**
 * Hands commits to the publish step: those that arrive while one transaction runs go together in the next,
 * with one flush to disk for all. Those that were too much work for one transaction together are the first of the
 * next. Each caller gets the outcome of its own.
 *
 * A commit that is larger than a whole group may be goes alone, and between two of them whatever else waits is let
 * through: nobody waits for more than one of them.
 */
export class CommitQueue {
  readonly #context: QueueContext;
  readonly #bounds: QueueBounds;
  readonly #keys = new Set<string>();
  #waiting: Entry[] = [];
  #large: Entry[] = [];
  /** Of all that wait. */
  #bytes = 0;
  #running = false;

  constructor(context: QueueContext, bounds: Partial<QueueBounds> = {}) {
    this.#context = context;
    this.#bounds = { ...usualBounds, ...bounds };
  }

  /** @throws DiptychError the refusal of the commit, `request-in-flight`, or `not-ready` when too many wait */
  async submit(request: Omit<CommitRequest, 'prepared'>): Promise<Committed> {
    return await this.submitPrepared(request, async () => ({}));
  }

  /**
   * The same for a commit that is prepared first, outside of the head's lock, and once more whenever what it
   * was prepared from has changed in a way that decides nothing.
   *
   * @throws DiptychError also `not-ready` when that happens again and again
   */
  async submitPrepared(
    request: Omit<CommitRequest, 'prepared'>,
    prepare: () => Promise<Partial<CommitRequest>>,
  ): Promise<Committed> {
    const { idempotency } = request;
    const key = idempotency && JSON.stringify([idempotency.principal, idempotency.key]);
    if (key !== null && this.#keys.has(key)) throw inFlight();
    if (key !== null) this.#keys.add(key);
    try {
      for (let attempt = 1; attempt <= maxPreparations; attempt += 1) {
        const outcome = await this.#enqueue({ ...request, prepared: null, ...(await prepare()) });
        if ('refused' in outcome) throw outcome.refused;
        if ('result' in outcome) return outcome;
      }
      throw new DiptychError('not-ready', 'What is to be committed changes faster than it can be judged.', {
        retryAfterSeconds: 1,
      });
    } finally {
      if (key !== null) this.#keys.delete(key);
    }
  }

  #enqueue(request: CommitRequest): Promise<Outcome> {
    const size = sizeOf(request);
    const count = this.#waiting.length + this.#large.length;
    const isFull = count >= this.#bounds.waiting || this.#bytes + size.bytes > this.#bounds.waitingBytes;
    if (isFull && count > 0) {
      throw new DiptychError('not-ready', 'Too many commits are waiting.', { retryAfterSeconds: 1 });
    }
    return new Promise<Outcome>((resolve, reject) => {
      const entry = { request, ...size, resolve, reject };
      this.#bytes += size.bytes;
      this.#lineOf(entry).push(entry);
      if (!this.#running) void this.#run();
    });
  }

  #lineOf({ members, bytes }: Entry): Entry[] {
    const { groupMembers, groupBytes } = this.#bounds;
    return members > groupMembers || bytes > groupBytes ? this.#large : this.#waiting;
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (;;) {
      await this.#gather();
      const large = this.#large.splice(0, 1);
      this.#forget(large);
      if (large.length > 0) await this.#publishGroup(large);
      const group = this.#takeGroup();
      if (group.length > 0) await this.#publishGroup(group);
      else if (large.length === 0) break;
    }
    this.#running = false;
  }

  /**
   * Waits until the event loop brings nothing more: whoever comes meanwhile goes along. Most of what a small group
   * costs it costs whatever its size.
   */
  #gather(): Promise<void> {
    return new Promise((resolve) => onceQuiet(() => this.#waiting.length, resolve));
  }

  #takeGroup(): Entry[] {
    const { group, groupMembers, groupBytes } = this.#bounds;
    let [members, bytes] = [0, 0];
    const end = this.#waiting.findIndex((entry, index) => {
      members += entry.members;
      bytes += entry.bytes;
      return index > 0 && (index === group || members > groupMembers || bytes > groupBytes);
    });
    const taken = this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
    this.#forget(taken);
    return taken;
  }

  /** These wait no more. */
  #forget(entries: Entry[]): void {
    for (const { bytes } of entries) this.#bytes -= bytes;
  }

  async #publishGroup(group: Entry[]): Promise<void> {
    try {
      const { outcomes, news } = await withTransaction(this.#context.db, (tx) =>
        publish(
          tx,
          this.#context,
          group.map((entry) => entry.request),
        ),
      );
      // Not before it is certain that they have happened.
      this.#context.reads.cache.follow(news);
      const postponed: Entry[] = [];
      for (const [index, entry] of group.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined) entry.reject(new Error('a commit without an outcome'));
        else if ('postponed' in outcome) postponed.push(entry);
        else entry.resolve(outcome);
      }
      for (const { bytes } of postponed) this.#bytes += bytes;
      this.#waiting.unshift(...postponed);
    } catch (error) {
      // What the database refused outright cannot be laid at one commit's door: each is tried by itself, and
      // only the one that fails again fails. A broken connection, or a head that somebody holds, is everybody's.
      if (group.length === 1 || error instanceof DiptychError) for (const entry of group) entry.reject(error);
      else for (const entry of group) await this.#publishGroup([entry]);
    }
  }
}

/** How much is to be written: what has not been reckoned yet is not counted in bytes. */
function sizeOf({ intents, prepared }: CommitRequest): { members: number; bytes: number } {
  let bytes = 0;
  for (const intent of intents) if (intent.type === 'change') bytes += intent.content?.content.length ?? 0;
  return { members: intents.length + (prepared?.moves.length ?? 0), bytes };
}
