import { expect, test } from 'vitest';
import { type Position, wholeCommit } from '../../src/domain/feed-page.js';
import { awaitFeed } from '../../src/queries/steps/await-feed.js';
import { readFeedFilter, readFeedPage } from '../../src/queries/steps/feed-page.js';
import { readInStrides } from '../../src/queries/steps/feed-strides.js';
import { listFeedPositions } from '../../src/store/feed.js';
import { createInstance } from '../support/context.js';
import { collection, define, putAll, retain } from '../support/retention.js';

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
      { after, head: revisions[2] ?? 0, filter },
      async ({ upTo, ...range }) => {
        looked.push(upTo);
        const found = await listFeedPositions(context.db, { ...range, upTo, limit: 10 });
        return { found: found.length, next: { revision: upTo, ordinal: wholeCommit } };
      },
      ({ found }) => found === 0,
      { changes: 2, most },
    );
  return { context, filter, revisions, looked, read };
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

test('who waits is told at once how far was looked in vain', async () => {
  const { context, filter, revisions } = await threeCommits();
  const waits = context.heads.untilWaitedFor(new AbortController().signal).then(() => 'waits');
  const page = awaitFeed(
    context,
    { after: start, filter, waitSeconds: 60 },
    (range) => readFeedPage(context, { ...range, limit: 10 }, { changes: 2, most: 1 }),
    ({ changes }) => changes.length === 0,
  );
  expect(await Promise.race([page, waits])).toMatchObject({
    part: { changes: [], next: { revision: revisions[0] } },
    head: revisions[2],
  });
});

test('the way on from a change whose data is gone leads to the head, not to the end of the stride', async () => {
  const { context, filter } = await threeCommits();
  const keep = { retention: { keepVersions: 1, onExpire: 'delete' as const } };
  await define(context, keep);
  await putAll(context, ['wanted'], { n: 1 });
  const horizon = await putAll(context, ['wanted'], { n: 2 });
  await retain(context);
  for (const key of ['x', 'y', 'z']) await putAll(context, [key], {});
  const head = await putAll(context, ['wanted'], { n: 3 });
  const range = { after: start, head, filter, limit: 10, maxBytes: 1_000_000 };
  const refused = readFeedPage(context, range, { changes: 2, most: 10 });
  await expect(refused).rejects.toMatchObject({
    code: 'position-expired',
    options: {
      extensions: {
        horizon,
        head,
        resume: {
          records: `/v1/collections/${collection}/records?revision=${head}&keyPrefix=want`,
          changes: `/v1/changes?after=${head}&collection=${collection}&keyPrefix=want`,
        },
      },
    },
  });
});
