import type { Api, Change, ChangePage } from '../client.js';
import { canonical, digestOf } from '../content.js';

export interface Replay {
  /** The list as the feed alone builds it. */
  state: Map<string, unknown>;
  changes: number;
  /** Changes whose `before` was not what the one before them left behind. */
  broken: Change[];
  /** The digest of the list after each revision of the feed. */
  digests: Map<number, string>;
}

/**
 * Builds a copy of the collection from the change feed alone, as a consumer would that has never asked
 * for a record: from `after` to `until`, both revisions, and holds each `before` against what it has.
 */
export async function replay(
  api: Api,
  collection: string,
  range: { after: number; until: number },
  onProgress: (changes: number) => void,
): Promise<Replay> {
  const result: Replay = { state: new Map(), changes: 0, broken: [], digests: new Map() };
  let after = String(range.after);
  let revision = range.after;
  for (;;) {
    const path = `/v1/changes?collection=${collection}&limit=100&after=${encodeURIComponent(after)}`;
    const { body } = await api.call<ChangePage>('GET', path);
    for (const change of body.changes) {
      if (change.revision !== revision) {
        result.digests.set(revision, digestOf(result.state));
        revision = change.revision;
      }
      apply(result, change);
    }
    onProgress(result.changes);
    // Other collections move the head too, so a page may be empty and yet lead on.
    const reached = body.next === after || Number.parseInt(body.next, 10) >= range.until;
    if (body.changes.length === 0 && reached) {
      result.digests.set(revision, digestOf(result.state));
      return result;
    }
    after = body.next;
  }
}

function apply(result: Replay, change: Change): void {
  const held = result.state.get(change.key);
  const expected = held === undefined ? null : canonical(held);
  const before = change.before === null ? null : canonical(change.before.data);
  if (before !== expected) {
    result.broken.push(change);
  }
  if (change.after === null) {
    result.state.delete(change.key);
  } else {
    result.state.set(change.key, change.after.data);
  }
  result.changes += 1;
}
