import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cutFeed,
  formatPosition,
  isAfter,
  type Position,
  parsePosition,
  wholeCommit,
} from '../../src/domain/feed-page.js';

describe('positions', () => {
  test('are revisions, or places within one', () => {
    expect(parsePosition('12')).toEqual({ revision: 12, ordinal: wholeCommit });
    expect(parsePosition('12.5')).toEqual({ revision: 12, ordinal: 5 });
    expect(formatPosition({ revision: 12, ordinal: wholeCommit })).toBe('12');
    expect(formatPosition({ revision: 12, ordinal: 5 })).toBe('12.5');
  });

  test.each(['', '-1', '1.', '1.0', '01', '1e3', ' 1', '1.2.3', '9999999999999999', 'abc'])(
    'refuse %j',
    (text) => {
      expect(parsePosition(text)).toBeUndefined();
    },
  );
});

/** Commits of these sizes, one after the other from revision 1. */
const feedOf = (sizes: number[]) =>
  sizes.flatMap((size, index) =>
    Array.from({ length: size }, (_, ordinal) => ({ revision: index + 1, ordinal: ordinal + 1, bytes: 10 })),
  );

function readAll(feed: ReturnType<typeof feedOf>, limit: number, maxBytes: number) {
  const pages: (typeof feed)[] = [];
  let position: Position = { revision: 0, ordinal: wholeCommit };
  for (;;) {
    const from = position;
    const ahead = feed.filter((entry) => isAfter(entry, from)).slice(0, limit + 1);
    const cut = cutFeed(ahead, { limit, maxBytes });
    if (cut === null) return pages;
    pages.push(ahead.filter((entry) => !isAfter(entry, cut.last)));
    position = cut.next;
  }
}

describe('cutFeed', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 15 });

  test('pages together are the feed: nothing missing, nothing twice, in order', () => {
    fc.assert(
      fc.property(
        sizes,
        fc.integer({ min: 1, max: 10 }),
        fc.integer({ min: 1, max: 100 }),
        (commits, limit, maxBytes) => {
          const feed = feedOf(commits);
          expect(readAll(feed, limit, maxBytes).flat()).toEqual(feed);
        },
      ),
    );
  });

  test('a commit is split only when it does not fit a page by itself', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 10 }), (commits, limit) => {
        const pages = readAll(feedOf(commits), limit, Number.POSITIVE_INFINITY);
        for (const [index, size] of commits.entries()) {
          const holding = pages.filter((page) => page.some((entry) => entry.revision === index + 1));
          if (size <= limit) expect(holding).toHaveLength(1);
        }
        for (const page of pages) expect(page.length).toBeLessThanOrEqual(limit);
      }),
    );
  });

  test('a page carries no more bytes than allowed, but always one change', () => {
    const feed = feedOf([3, 3]).map((entry) => ({ ...entry, bytes: 60 }));
    const pages = readAll(feed, 100, 100);
    expect(pages.map((page) => page.length)).toEqual([1, 1, 1, 1, 1, 1]);
  });
});
