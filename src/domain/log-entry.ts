import { sha256 } from '../lib/digest.js';
import type { ChangeSummary, CommitKind } from './commit.js';

/** What one entry of the log says, before it is hashed. */
export interface LogEntry {
  revision: number;
  kind: CommitKind;
  committedAt: Date;
  author: string;
  message: string | null;
  forced: boolean;
  changeset: string | null;
  reverts: number | null;
  definition: { collection: string; number: number | null; digest: string | null } | null;
  /** The definitions that its changes were judged by. */
  definitions: { collection: string; number: number }[];
  changeCount: number;
  /** Of the changes: see `digestChanges`. */
  changesDigest: string;
}

/** A change with the digests of the two records that it leads from and to. */
export interface LoggedChange extends ChangeSummary {
  beforeDigest: string | null;
  afterDigest: string | null;
}

/** The line of canonical JSON that stands for a change in the digest of its commit. */
export function lineOfChange(change: LoggedChange, index: number): string {
  const { after, afterDigest, before, beforeDigest, collection, key, operation } = change;
  // Members in the canonical order: the native writer then says what RFC 8785 does.
  return JSON.stringify({
    after,
    afterDigest,
    before,
    beforeDigest,
    collection,
    key,
    operation,
    ordinal: index + 1,
  });
}

/** SHA-256, in hexadecimal, of one line of canonical JSON for each change, in order, joined by line feeds. */
export function digestChanges(changes: LoggedChange[]): string {
  return sha256(changes.map(lineOfChange).join('\n')).toString('hex');
}

/** Hash of the entry before the first. */
export const chainStart = Buffer.alloc(32);

/**
 * Seals an entry: `content` is its canonical JSON (RFC 8785), which names the hash of the entry before it and
 * a digest over its changes;
 * `hash` is the SHA-256 of `content`. Whoever knows one hash can check everything before it.
 */
export function sealEntry(entry: LogEntry, previousHash: Buffer): { content: string; hash: Buffer } {
  // Members in the canonical order, as above.
  const content = JSON.stringify({
    author: entry.author,
    changeCount: entry.changeCount,
    changesDigest: entry.changesDigest,
    changeset: entry.changeset,
    committedAt: entry.committedAt.toISOString(),
    definition: entry.definition,
    definitions: entry.definitions,
    forced: entry.forced,
    kind: entry.kind,
    message: entry.message,
    previousHash: previousHash.toString('hex'),
    reverts: entry.reverts,
    revision: entry.revision,
  });
  return { content, hash: sha256(content) };
}
