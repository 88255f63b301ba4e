import { expect, test } from 'vitest';
import { unfiltered } from '../../src/domain/feed-change.js';
import { feedStart, PageStarts } from '../../src/store/page-starts.js';

const at = (offset: number) => ({ offset, position: { revision: offset, ordinal: 1 } });

test('the nearest known start is found, of the same filter only, and the beginning where none is', () => {
  const starts = new PageStarts();
  expect(starts.before(unfiltered, 300, 100)).toBe(feedStart);
  starts.keep(unfiltered, at(200));
  starts.keep({ ...unfiltered, collectionId: 1 }, at(400));
  starts.keep({ ...unfiltered, keyPrefix: '400' }, at(400));
  expect(starts.before(unfiltered, 500, 100)).toEqual(at(200));
  expect(starts.before(unfiltered, 200, 100)).toEqual(at(200));
  expect(starts.before(unfiltered, 100, 100)).toBe(feedStart);
  expect(starts.before({ ...unfiltered, collectionId: 1 }, 400, 100)).toEqual(at(400));
});
