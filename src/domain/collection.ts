import type { JsonObject } from '../lib/json-value.js';
import type { Failure } from './failure.js';

export interface Rule {
  id: string;
  /** CEL expression that must hold. */
  assert: string;
  /** CEL expression; the rule is judged only where it holds. */
  when?: string | undefined;
  message: string;
  severity?: 'error' | 'warning' | undefined;
  /** JSON Pointer into `data` that failures of this rule name. */
  pointer?: string | undefined;
}

export interface Reference {
  /** JSON Pointer into `data`: a key, or an array of keys, of live records of `collection`. */
  pointer: string;
  collection: string;
  onDelete?: 'restrict' | undefined;
}

/** What a collection demands of its records; written by people, and hostile until compiled. */
export interface Definition {
  title?: string | undefined;
  description?: string | undefined;
  /** JSON Schema 2020-12 for `data`. */
  schema?: JsonObject | undefined;
  rules?: Rule[] | undefined;
  /** Lists of JSON Pointers whose values together are unique among live records. */
  unique?: string[][] | undefined;
  references?: Reference[] | undefined;
  retention?:
    | {
        keepVersions?: number | undefined;
        keepDays?: number | undefined;
        onExpire?: 'archive' | 'delete' | undefined;
      }
    | undefined;
  approvals?: { required: number } | undefined;
  indexes?: string[] | undefined;
  /** Whether the committed state is kept as a table in the schema `mirror` as well, for those who follow the database. */
  mirror?: boolean | undefined;
}

export interface CollectionView {
  name: string;
  definition: Definition;
  /** Number of the definition in force, counted per collection from 1. */
  definitionNumber: number;
  /** The revision at which this definition came into force. */
  revision: number;
  updatedAt: string;
  updatedBy: string;
  /** The indexes that the definition asks for. */
  indexes: IndexView[];
}

/** An index of a collection: how far it is, and whether lists use it already. */
export interface IndexView {
  pointer: string;
  state: 'building' | 'ready';
  /** Records that have been looked at so far; null once it is ready. */
  recordsDone: number | null;
}

/** One of the definitions that a collection has had. */
export interface DefinitionView {
  collection: string;
  number: number;
  /** The revision at which it came into force. */
  revision: number;
  definition: Definition;
  /** SHA-256 of its canonical JSON, in hexadecimal. */
  digest: string;
  committedAt: string;
  committedBy: string;
  /** Whether it is in force. */
  current: boolean;
}

/** What a definition would do to the records that exist. */
export interface DefinitionImpact {
  dryRun: true;
  live: { checked: number; failing: number; sample: { key: string; errors: Failure[] }[] };
  pending: {
    checked: number;
    failing: number;
    sample: { key: string; changeset: string | null; errors: Failure[] }[];
  };
  durationMs: number;
}
