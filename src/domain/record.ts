import type { JsonObject, JsonValue } from '../lib/json-value.js';
import type { StoredResolution } from './rebase.js';

/** What a change does to a record, as readers and the change feed see it. */
export type ChangeOperation = 'create' | 'update' | 'delete';

/** What a pending version will do when it is committed. */
export type PendingOperation = 'upsert' | 'delete';

/** A record as readers see it (now, or at an earlier revision). Times are RFC 3339 UTC with milliseconds. */
export interface RecordView {
  collection: string;
  key: string;
  /** The number of the version that is current, counted per record from 1. */
  version: number;
  /** The store revision at which this record last changed. */
  revision: number;
  data: JsonObject;
  committedAt: string;
  committedBy: string;
  message: string | null;
}

/** A record as it would be read if a changeset were committed. What comes from the changeset has no version yet. */
export interface PreviewView {
  collection: string;
  key: string;
  version: number | null;
  revision: number | null;
  data: JsonObject;
  committedAt: string | null;
  committedBy: string | null;
  /** Of the commit, or of the pending version. */
  message: string | null;
  /** Whether this state comes from the changeset. */
  pending: boolean;
}

/** A record in a list: `data` is a projection when `fields` was given. */
export interface Page<Item> {
  items: Item[];
  /** Opaque cursor of the next page, or null on the last one. */
  next: string | null;
}

export interface VersionSummary {
  version: number;
  /** Every revision at which this version became the current one; more than one after a rollback to it. */
  revisions: number[];
  committedAt: string;
  committedBy: string;
  message: string | null;
  /** SHA-256 of the canonical JSON (RFC 8785) of `data`, in hexadecimal. */
  digest: string;
  current: boolean;
  /** Whether retention has compressed its data into the archive, where it can be read all the same. */
  archived: boolean;
  /** Whether retention has removed its data for good; who, when and the digest stay. */
  deleted: boolean;
}

/** One committed version with its content. */
export interface VersionView extends VersionSummary {
  collection: string;
  key: string;
  data: JsonObject;
}

export type PatchOperation =
  | { op: 'add' | 'replace' | 'test'; path: string; value: JsonValue }
  | { op: 'remove'; path: string }
  | { op: 'move' | 'copy'; from: string; path: string };

/** The difference between two states; a side that has no state (never committed, deleted) is null. */
export interface DiffView {
  from: number | null;
  /** A version number, `pending` for a pending version, or null where the record would not exist. */
  to: number | 'pending' | null;
  patch: PatchOperation[];
  /** `before` or `after` is absent where that side has no value at `pointer`. */
  changes: {
    pointer: string;
    before?: JsonValue;
    after?: JsonValue;
  }[];
}

export interface PendingValidation {
  state: 'unknown' | 'valid' | 'invalid' | 'stale';
  /** The store revision against which it was last validated; absent while unknown. */
  validatedRevision?: number;
  validatedAt?: string;
  errorCount?: number;
  warningCount?: number;
}

/** The version that is being prepared. */
export interface PendingView {
  collection: string;
  key: string;
  changeset: string | null;
  operation: PendingOperation;
  /** null when the operation is `delete`. */
  data: JsonObject | null;
  /** The current version when this one was started; null when the record was not live. */
  baseVersion: number | null;
  currentVersion: number | null;
  /** Whether the record has moved since: `baseVersion` is no longer the current version. */
  outdated: boolean;
  /** SHA-256 of the canonical JSON of `data`; null when the operation is `delete`. */
  digest: string | null;
  message: string | null;
  stagedBy: string[];
  stagedAt: string;
  updatedAt: string;
  /** How conflicts were settled when it was rebased, oldest first. */
  resolutions: StoredResolution[];
  validation: PendingValidation;
}
