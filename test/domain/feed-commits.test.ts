import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutCommits, maxInlineChanges } from '../../src/domain/feed-commits.js';
import { type Position, wholeCommit } from '../../src/domain/feed-page.js';

/** Commits of these sizes, from revision 1. */
const feedOf = (sizes: number[], bytes = 10) =>
  sizes.flatMap((size, index) =>
    Array.from({ length: size }, (_, ordinal) => ({ revision: index + 1, ordinal: ordinal + 1, bytes })),
  );

const isAfter = (a: Position, b: Position) =>
  a.revision > b.revision || (a.revision === b.revision && a.ordinal > b.ordinal);

describe('cutCommits', () => {
  test('pages together show every commit once, whole, or up to where the rest begins', () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(1_400)), { maxLength: 12 });
    fc.assert(
      fc.property(
        sizes,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 20_000 }),
        (commits, limit, maxBytes) => {
          const feed = feedOf(commits);
          const most = 2_000;
          const seen: Position[] = [];
          let from: Position | null = { revision: 0, ordinal: wholeCommit };
          while (from !== null) {
            const start: Position = from;
            const rest = feed.filter((place) => isAfter(place, start));
            const ahead = rest.slice(0, most);
            const cut = cutCommits(ahead, { limit, maxBytes, isAll: ahead.length < most });
            const revisions = new Set(cut.shown.map(({ revision }) => revision));
            expect(revisions.size).toBeLessThanOrEqual(limit);
            for (const revision of revisions) {
              const shown = cut.shown.filter((place) => place.revision === revision);
              const whole = feed.filter((place) => place.revision === revision);
              expect(shown).toEqual(whole.slice(0, shown.length));
              expect(shown.length).toBeLessThanOrEqual(maxInlineChanges);
              const more = cut.more.get(revision);
              expect(more?.ordinal).toBe(shown.length === whole.length ? undefined : shown.length);
              expect(seen.some((place) => place.revision === revision)).toBe(false);
            }
            expect(cut.shown.length === 0).toBe(rest.length === 0);
            expect(cut.shown.length * 10 <= maxBytes || revisions.size === 1).toBe(true);
            seen.push(...cut.shown);
            from = cut.next;
          }
          expect(new Set(seen.map(({ revision }) => revision)).size).toBe(commits.length);
        },
      ),
    );
  });

  test('a commit that does not fit by its bytes is shown in part, alone', () => {
    const cut = cutCommits(feedOf([3, 1], 60), { limit: 10, maxBytes: 130, isAll: true });
    expect(cut.shown.map(({ revision, ordinal }) => `${revision}.${ordinal}`)).toEqual(['1.1', '1.2']);
    expect(cut.more.get(1)).toMatchObject({ revision: 1, ordinal: 2 });
    expect(cut.next).toEqual({ revision: 1, ordinal: wholeCommit });
  });
});
