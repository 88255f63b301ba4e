import type { Api, LiveRecord, RecordPage } from './client.js';
import { digestOf } from './content.js';

/** The whole list as one cursor chain showed it. */
export interface Snapshot {
  revision: number;
  digest: string;
  size: number;
}

/** Small enough that reading the whole list takes many requests, and commits fall between them. */
const PAGE_SIZE = 60;

const PATIENCE_MS = 60_000;

/** Follows one cursor chain from its first page to its last. `query` is e.g. `revision=7`. */
export async function* readPages(
  api: Api,
  collection: string,
  query = '',
  pageSize = PAGE_SIZE,
): AsyncGenerator<RecordPage, void, undefined> {
  let cursor: string | null = null;
  do {
    const position: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const path = `/v1/collections/${collection}/records?limit=${pageSize}&${query}${position}`;
    const { body } = await api.call<RecordPage>('GET', path.replace(/&+$/, '').replace('&&', '&'));
    yield body;
    cursor = body.next;
  } while (cursor !== null);
}

/** All records of a list, with the revision that its pages agree on. */
export async function readAll(
  pages: AsyncIterable<RecordPage>,
  start: RecordPage[] = [],
): Promise<{ items: LiveRecord[]; revision: number }> {
  const read = [...start];
  for await (const page of pages) {
    read.push(page);
  }
  const revisions = new Set(read.map(({ revision }) => revision));
  const [revision] = revisions;
  if (revision === undefined || revisions.size > 1) {
    throw new Error(`The pages of one cursor chain showed the revisions ${[...revisions].join(', ')}`);
  }
  return { items: read.flatMap(({ items }) => items), revision };
}

export function snapshotOf(list: { items: LiveRecord[]; revision: number }): Snapshot {
  const digest = digestOf(list.items.map(({ key, data }) => [key, data] as const));
  return { revision: list.revision, digest, size: list.items.length };
}

/** A reader that never stops: it reads the whole list again and again. */
export class Watcher {
  readonly snapshots: Snapshot[] = [];
  readonly #read: () => Promise<Snapshot>;
  readonly #listeners = new Set<() => void>();
  #stopping = false;
  #failure: unknown;
  #running: Promise<void> = Promise.resolve();

  /** `read` reads the whole list once. */
  constructor(read: () => Promise<Snapshot>) {
    this.#read = read;
  }

  start(): void {
    this.#running = this.#poll();
  }

  /** Resolves when the reading under way is complete. @throws what made the reader stop, if anything did. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }

  /**
   * Resolves when the reader has completed `count` snapshots of `revision` or newer.
   * @throws Error when it stopped, or when one of them takes longer than a minute.
   */
  async waitFor(revision: number, count: number, onProgress: (seen: number) => void): Promise<void> {
    for (;;) {
      const seen = this.snapshots.filter((snapshot) => snapshot.revision >= revision).length;
      onProgress(Math.min(seen, count));
      if (seen >= count) {
        return;
      }
      if (this.#failure !== undefined) {
        throw this.#failure;
      }
      await this.#nextSnapshot(AbortSignal.timeout(PATIENCE_MS));
    }
  }

  #nextSnapshot(deadline: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#listeners.delete(wake);
        reject(new Error(`The reader completed no snapshot for ${PATIENCE_MS / 1_000} s`));
      };
      const wake = () => {
        deadline.removeEventListener('abort', giveUp);
        this.#listeners.delete(wake);
        resolve();
      };
      deadline.addEventListener('abort', giveUp, { once: true });
      this.#listeners.add(wake);
    });
  }

  async #poll(): Promise<void> {
    try {
      while (!this.#stopping) {
        this.snapshots.push(await this.#read());
        this.#wakeAll();
      }
    } catch (error) {
      this.#failure = error;
      this.#wakeAll();
    }
  }

  #wakeAll(): void {
    for (const wake of [...this.#listeners]) {
      wake();
    }
  }
}
