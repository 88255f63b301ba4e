import type { Page, RecordView } from './record.js';

/** A record as it is sent. */
export class RecordAnswer {
  constructor(
    readonly text: string,
    readonly tag: string,
    /** The store revision that it reflects. */
    readonly revision: number,
  ) {}

  /** The same as a value; parsed each time, for the few who look into it. */
  get record(): RecordView {
    return JSON.parse(this.text);
  }
}

/** A page of a list as it is sent. */
export class PageAnswer {
  constructor(
    /** In UTF-8: long texts are sent faster so. */
    readonly text: Buffer,
    readonly tag: string,
    readonly revision: number,
    /** The cursor of the next page. */
    readonly next: string | null,
  ) {}

  /** The same as a value; parsed each time, for the few who look into it. */
  get page(): Page<RecordView> {
    const { items, next } = JSON.parse(this.text.toString());
    return { items, next };
  }
}
