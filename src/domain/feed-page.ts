/** A place in the feed: after the change with this ordinal of this commit; ordinal 0 is before its first. */
export interface Position {
  revision: number;
  ordinal: number;
}

/** Beyond every ordinal: a position after the whole commit. */
export const wholeCommit = 2 ** 31 - 1;

/** `12` is after the whole commit 12, `12.500` within it after its change 500. Undefined for what is neither. */
export function parsePosition(text: string): Position | undefined {
  const match = /^(0|[1-9]\d{0,14})(?:\.([1-9]\d{0,8}))?$/.exec(text);
  if (match === null) return undefined;
  return { revision: Number(match[1]), ordinal: match[2] === undefined ? wholeCommit : Number(match[2]) };
}

export function formatPosition({ revision, ordinal }: Position): string {
  return ordinal === wholeCommit ? String(revision) : `${revision}.${ordinal}`;
}

/** Whether a position, or a change, is beyond another. */
export const isAfter = (a: Position, b: Position) =>
  a.revision > b.revision || (a.revision === b.revision && a.ordinal > b.ordinal);

/** The position from which this change is the next. */
export function positionBefore({ revision, ordinal }: Position): Position {
  return ordinal === 1
    ? { revision: revision - 1, ordinal: wholeCommit }
    : { revision, ordinal: ordinal - 1 };
}

/**
 * Where a page of the feed ends: after the last commit that fits whole. Only a commit that does not fit by
 * itself is cut, so that nobody takes half a commit for all of it.
 *
 * @param ahead what follows the start, one entry further than `limit` if there is as much
 * @returns the last entry of the page and the position to go on from; null when nothing is ahead
 */
export function cutFeed(
  ahead: (Position & { bytes: number })[],
  bounds: { limit: number; maxBytes: number },
): { last: Position; next: Position } | null {
  let bytes = 0;
  let fitting = ahead.findIndex((entry, index) => {
    bytes += entry.bytes;
    return index >= bounds.limit || (index > 0 && bytes > bounds.maxBytes);
  });
  if (fitting === -1) fitting = ahead.length;
  const last = ahead[fitting - 1];
  const following = ahead[fitting];
  if (last === undefined) return null;
  if (following?.revision !== last.revision)
    return { last, next: { revision: last.revision, ordinal: wholeCommit } };
  const whole = ahead.findLast((entry) => entry.revision < last.revision);
  if (whole === undefined) return { last, next: { revision: last.revision, ordinal: last.ordinal } };
  return { last: whole, next: { revision: whole.revision, ordinal: wholeCommit } };
}
