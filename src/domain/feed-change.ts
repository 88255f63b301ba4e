import type { ChangeOperation } from './record.js';

/** Which changes a reader of the feed asks for. */
export interface FeedFilter {
  /** Null: of all collections. */
  collectionId: number | null;
  /** The name of that collection, for links. */
  collection: string | null;
  /** Null: of all records. */
  keyPrefix: string | null;
}

/** Every change there is. */
export const unfiltered: FeedFilter = { collectionId: null, collection: null, keyPrefix: null };

/** A record before or after a change; the content is canonical JSON and stays the text that it is. */
export interface FeedSide {
  version: number;
  content: string;
}

/** A change as it is read from the log, to be written in any of the forms. */
export interface FeedChange {
  revision: number;
  /** Position within the commit, from 1. */
  ordinal: number;
  operation: ChangeOperation;
  collection: string;
  key: string;
  before: FeedSide | null;
  after: FeedSide | null;
  committedAt: Date;
  author: string;
  message: string | null;
}

/** The JSON of a side, as the forms show it that keep the content an object. */
export const sideText = (side: FeedSide | null) =>
  side === null ? 'null' : `{"version":${side.version},"data":${side.content}}`;
