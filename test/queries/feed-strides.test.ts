import { expect, test } from 'vitest';
import { type Position, wholeCommit } from '../../src/domain/feed-page.js';
import { readFeedFilter } from '../../src/queries/steps/feed-page.js';
import { readInStrides } from '../../src/queries/steps/feed-strides.js';
import { listFeedPositions } from '../../src/store/feed.js';
import { createInstance } from '../support/context.js';
import { collection, define, putAll } from '../support/retention.js';

/** Three commits of three records, of which only the last record is asked for, and strides of two changes. */
async function threeCommits() {
  const context = await createInstance();
  await define(context, {});
  const revisions: number[] = [];
  for (const keys of [
    ['a', 'b', 'c'],
    ['d', 'e', 'f'],
    ['g', 'h', 'wanted'],
  ])
    revisions.push(await putAll(context, keys, { keys }));
  const filter = await readFeedFilter(context, { collection, keyPrefix: 'want' });
  const looked: number[] = [];
  const read = (after: Position, most: number) =>
    readInStrides(
      context,
      { after, upTo: revisions[2] ?? 0, filter },
      async ({ upTo, ...range }) => {
        looked.push(upTo);
        const found = await listFeedPositions(context.db, { ...range, upTo, limit: 10 });
        return { found: found.length, next: { revision: upTo, ordinal: wholeCommit } };
      },
      ({ found }) => found === 0,
      { changes: 2, most },
    );
  return { revisions, looked, read };
}

const start = { revision: 0, ordinal: 0 };

test('what is looked for in strides is found, and each stride ends with a commit', async () => {
  const { revisions, looked, read } = await threeCommits();
  expect(await read(start, 10)).toMatchObject({ found: 1, next: { revision: revisions[2] } });
  expect(looked).toEqual(revisions);
});

test('after so many strides in vain the page ends, with the position that it has come to', async () => {
  const { revisions, looked, read } = await threeCommits();
  const page = await read(start, 2);
  expect(page).toMatchObject({ found: 0, next: { revision: revisions[1] } });
  expect(await read(page.next, 2)).toMatchObject({ found: 1 });
  expect(looked).toEqual(revisions);
});
