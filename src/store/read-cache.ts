import { LRUCache } from 'lru-cache';
import type { KeptAnswer, KeptRecord } from '../domain/kept-answer.js';
import { maxNews, type News } from './news.js';

/** What an answer was made of, and so what changes it; `nothing`: a state of the past, which stays as it is. */
export type Source =
  | { type: 'record'; recordId: number; revision: number }
  | { type: 'collection'; collectionId: number }
  | { type: 'nothing' };

interface Entry {
  /** Or how it is made, until somebody asks for it. */
  answer: KeptAnswer | (() => KeptRecord);
  source: Source;
  /** How often it was replaced by what a commit has made of it since somebody has asked for it. */
  unread: number;
}

/** How to make an answer out of what was committed. */
export interface CommittedAnswer {
  make: () => KeptRecord;
  /** What it takes until then. */
  texts: string[];
}

/** A change that a commit of this process has made. */
export interface CommittedChange {
  revision: number;
  collectionId: number;
  recordId: number;
  /** What readers are told from now on; null where that is not at hand, or the record has gone. */
  answer: CommittedAnswer | null;
}

/** All that the commits of one transaction have changed, from the head before them to the head after them. */
export interface CommittedNews {
  since: number;
  head: number;
  changes: readonly CommittedChange[];
}

/** A statement under way whose answer is to be kept, and what the cache has been told since it was sent. */
export interface Load {
  /** The newest change of each record that changed. */
  readonly records: Map<number, number>;
  readonly collections: Set<number>;
  isRedefined: boolean;
  /** Whether more has changed than could be told. */
  isOverrun: boolean;
}

/** What an entry takes beyond its texts: objects, the places in three maps, headers of strings. */
const overheadBytes = 500;

/** After so many commits that nobody has read it between, an answer is dropped, so that others have its place. */
const maxUnread = 8;

/** A single answer may take this part of the cache, so that no one of them drives out all the others. */
const largestPart = 4;

/** Bytes of memory: V8 keeps one for each character of a text, or two for each when any is beyond Latin-1. */
function bytesOf(text: string | Buffer): number {
  return typeof text === 'string' && /[^\0-\xff]/.test(text) ? 2 * text.length : text.length;
}

/**
 * Answers ready to send, all of them valid as of one revision. What they were made of is dropped when news says
 * that it changed; the least recently used go first when there is no more room.
 */
export class ReadCache {
  readonly #entries: LRUCache<string, Entry> | null;
  readonly #records = new Map<number, string>();
  readonly #collections = new Map<number, Set<string>>();
  readonly #loads = new Set<Load>();
  #revision = 0;

  /** @param maxBytes 0: nothing is kept */
  constructor(maxBytes: number) {
    this.#entries =
      maxBytes === 0
        ? null
        : new LRUCache({
            maxSize: maxBytes,
            maxEntrySize: Math.max(1, Math.floor(maxBytes / largestPart)),
            dispose: ({ source }, name) => this.#forgetSource(source, name),
          });
  }

  /** The revision as of which every entry is valid; it only moves forward. */
  get revision(): number {
    return this.#revision;
  }

  /** Bytes that are taken. */
  get bytes(): number {
    return this.#entries?.calculatedSize ?? 0;
  }

  has(name: string): boolean {
    return this.#entries?.has(name) ?? false;
  }

  get(name: string): KeptAnswer | undefined {
    const entry = this.#entries?.get(name);
    if (entry === undefined) return undefined;
    entry.unread = 0;
    if (typeof entry.answer !== 'function') return entry.answer;
    const answer = entry.answer();
    // An entry of its own: the size of one that is there already would stay what it was.
    this.#put(name, { ...entry, answer }, [answer.text, answer.tag]);
    return answer;
  }

  /** To be called before the statement is sent, and ended with `endLoad`. */
  beginLoad(): Load {
    const load: Load = { records: new Map(), collections: new Set(), isRedefined: false, isOverrun: false };
    this.#loads.add(load);
    return load;
  }

  endLoad(load: Load): void {
    this.#loads.delete(load);
  }

  /**
   * Keeps an answer of a statement whose snapshot is not newer than the revision of the cache, unless news has come
   * since it was sent that what it was made of changed: it may have been read before the change.
   *
   * @param texts all that it holds, for its size
   */
  keep(load: Load, name: string, answer: KeptAnswer, source: Source, texts: (string | Buffer)[]): void {
    if (this.#entries === null || isOutdated(load, source)) return;
    this.#put(name, { answer, source, unread: 0 }, texts);
  }

  #put(name: string, entry: Entry, texts: (string | Buffer)[]): void {
    const size = texts.reduce((sum, text) => sum + bytesOf(text), overheadBytes + 2 * bytesOf(name));
    const { source } = entry;
    this.#entries?.set(name, entry, { size });
    if (!this.has(name)) return;
    if (source.type === 'record') this.#records.set(source.recordId, name);
    if (source.type === 'collection') {
      const names = this.#collections.get(source.collectionId);
      if (names) names.add(name);
      else this.#collections.set(source.collectionId, new Set([name]));
    }
  }

  /**
   * Moves on to the state that the news is of. News that was asked for earlier than other news, and comes later,
   * changes nothing: what it tells has been told.
   */
  advance({ since, head, changes }: News): void {
    // A database restored to an earlier state may have another history since.
    const isRestored = head < since;
    if (!isRestored && head <= this.#revision) return;
    this.#revision = head;
    if (isRestored || changes === null) {
      for (const load of this.#loads) load.isOverrun = true;
      this.#entries?.clear();
      return;
    }
    const revisions = new Set<number>();
    for (const [revision, collectionId, recordId] of changes) {
      revisions.add(revision);
      this.#drop(collectionId, recordId, revision);
    }
    // A commit without changes is a definition: a collection came or went.
    if (revisions.size < head - since) this.#dropAllLists();
  }

  /**
   * Moves on over commits of this process, if they are the next after what the cache shows: a fence would tell the same
   * of them. What is kept of a record is not dropped, but replaced by what was committed; its text is made when
   * somebody asks for it. Elsewhere, and when others have committed in between, the fence tells.
   */
  follow({ since, head, changes }: CommittedNews): void {
    if (this.#entries === null || since !== this.#revision || changes.length > maxNews) return;
    const next = new Map<string, { change: CommittedChange; unread: number }>();
    const told: [number, number, number][] = [];
    for (const change of changes) {
      const { revision, collectionId, recordId } = change;
      told.push([revision, collectionId, recordId]);
      const name = this.#records.get(recordId);
      const entry = name === undefined ? undefined : this.#entries.peek(name);
      if (name !== undefined && entry && entry.unread < maxUnread) {
        next.set(name, { change, unread: entry.unread + 1 });
      }
    }
    this.advance({ since, head, changes: told });
    for (const [name, { change, unread }] of next) {
      const { revision, recordId, answer } = change;
      if (answer === null) continue;
      const source: Source = { type: 'record', recordId, revision };
      this.#put(name, { answer: answer.make, source, unread }, answer.texts);
    }
  }

  #drop(collectionId: number, recordId: number, revision: number): void {
    for (const load of this.#loads) {
      load.records.set(recordId, Math.max(revision, load.records.get(recordId) ?? 0));
      load.collections.add(collectionId);
    }
    const name = this.#records.get(recordId);
    const entry = name === undefined ? undefined : this.#entries?.peek(name);
    const isOlder = entry?.source.type === 'record' && entry.source.revision < revision;
    if (name !== undefined && isOlder) this.#entries?.delete(name);
    this.#dropLists(collectionId);
  }

  #dropLists(collectionId: number): void {
    for (const name of this.#collections.get(collectionId) ?? []) this.#entries?.delete(name);
  }

  #dropAllLists(): void {
    for (const load of this.#loads) load.isRedefined = true;
    for (const collectionId of this.#collections.keys()) this.#dropLists(collectionId);
  }

  #forgetSource(source: Source, name: string): void {
    if (source.type === 'record') this.#records.delete(source.recordId);
    if (source.type !== 'collection') return;
    const names = this.#collections.get(source.collectionId);
    names?.delete(name);
    if (names?.size === 0) this.#collections.delete(source.collectionId);
  }
}

function isOutdated(load: Load, source: Source): boolean {
  switch (source.type) {
    case 'record':
      return load.isOverrun || (load.records.get(source.recordId) ?? 0) > source.revision;
    case 'collection':
      return load.isOverrun || load.isRedefined || load.collections.has(source.collectionId);
    case 'nothing':
      return false;
  }
}
