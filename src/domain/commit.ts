import type { JsonObject } from '../lib/json-value.js';
import type { ChangeOperation } from './record.js';

export type CommitKind = 'commit' | 'rollback' | 'revert' | 'definition';

/** One change of a commit: `before` and `after` are version numbers, or null where the record is not live. */
export interface ChangeSummary {
  collection: string;
  key: string;
  operation: ChangeOperation;
  before: number | null;
  after: number | null;
}

/** What a call that commits answers. */
export interface CommitResult {
  /** The revision of this commit; the present head when `unchanged` (or what it would be, when `dryRun`). */
  revision: number;
  committedAt: string;
  kind: CommitKind;
  changeCount: number;
  /** At most 1,000; `GET /v1/commits/{revision}/changes` pages them all. */
  changes: ChangeSummary[];
  /** True when everything equalled what is current: no version and no revision were made. */
  unchanged: boolean;
  /** True when nothing was written because the caller asked for a rehearsal. */
  dryRun?: true;
}

/** One entry of the commit log. */
export interface CommitView {
  revision: number;
  kind: CommitKind;
  committedAt: string;
  author: string;
  message: string | null;
  changeset: string | null;
  /** The revision that this commit undoes, for kind `revert`. */
  reverts: number | null;
  /** True when a rollback was forced past today's rules. */
  forced: boolean;
  /** The definition that this commit put in force, for kind `definition`; null number: collection deleted. */
  definition: { collection: string; number: number | null; digest: string | null } | null;
  /** The definitions that the changes were judged by, by collection. */
  definitions: { collection: string; number: number }[];
  changeCount: number;
  changes: ChangeSummary[];
  /** SHA-256 over the canonical JSON of each change, one line each: what `hash` covers of the changes. */
  changesDigest: string;
  /** SHA-256 of the entry's canonical content, which names `changesDigest` and `previousHash`: a chain. */
  hash: string;
  previousHash: string;
}

/** One entry of the change feed: the two records, before and after. */
export interface ChangeView {
  revision: number;
  /** Position within the commit, from 1. */
  ordinal: number;
  operation: ChangeOperation;
  collection: string;
  key: string;
  before: { version: number; data: JsonObject } | null;
  after: { version: number; data: JsonObject } | null;
  committedAt: string;
  author: string;
  message: string | null;
}
