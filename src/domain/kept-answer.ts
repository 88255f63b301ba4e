import type { PageAnswer } from './record-answer.js';

/** A record as the cache keeps it, ready to send. */
export interface KeptRecord {
  type: 'record';
  text: string;
  tag: string;
}

/** A page of a list as the cache keeps it. Its items are the same, whichever revision it is shown as of. */
export interface KeptPage {
  type: 'page';
  /** Identifies the items. */
  digest: string;
  /** The length of their JSON. */
  itemsBytes: number;
  /** What cursors of this list hold to tell it from others. */
  fingerprint: string;
  /** Where the next page begins; null on the last. */
  after: string[] | null;
  /** As it was shown last: the items are in there, and nowhere else. */
  shown: PageAnswer;
}

export type KeptAnswer = KeptRecord | KeptPage;
