import { expect, test } from 'vitest';
import { unfiltered } from '../../src/domain/feed-change.js';
import { PageStarts } from '../../src/store/page-starts.js';

const at = (offset: number) => ({ offset, position: { revision: offset, ordinal: 1 } });

const begin = { revision: 7, ordinal: 2 };
const beginning = { offset: 0, position: begin };

test('the nearest known start is found, of the same pages only, and their beginning where none is', () => {
  const all = { after: begin, filter: unfiltered };
  const one = { after: begin, filter: { ...unfiltered, collectionId: 1 } };
  const starts = new PageStarts();
  expect(starts.before(all, 300, 100)).toEqual(beginning);
  starts.keep(all, at(200));
  starts.keep(one, at(400));
  starts.keep({ after: begin, filter: { ...unfiltered, keyPrefix: '400' } }, at(400));
  starts.keep({ after: { revision: 7, ordinal: 3 }, filter: unfiltered }, at(400));
  starts.keep({ after: { revision: 8, ordinal: 2 }, filter: unfiltered }, at(400));
  expect(starts.before(all, 500, 100)).toEqual(at(200));
  expect(starts.before(all, 200, 100)).toEqual(at(200));
  expect(starts.before(all, 100, 100)).toEqual(beginning);
  expect(starts.before(one, 400, 100)).toEqual(at(400));
});
