import { expect, test } from 'vitest';
import { formatPosition, type Position, wholeCommit } from '../../src/domain/feed-page.js';
import { placeChanges } from '../../src/domain/feed-view.js';
import { logged } from '../../src/http/openapi/feed-examples.js';

const placed = (places: [revision: number, ordinal: number][], next: Position) =>
  placeChanges(
    places.map(([revision, ordinal]) => ({ ...logged, revision, ordinal })),
    next,
  ).map(({ position }) => formatPosition(position));

test('the position of a change is within its commit, and after the whole of it where it is the last', () => {
  const next = { revision: 9, ordinal: wholeCommit };
  expect(
    placed(
      [
        [2, 1],
        [2, 2],
        [3, 1],
        [5, 1],
        [5, 4],
      ],
      next,
    ),
  ).toEqual(['2.1', '2', '3', '5.1', '5']);
  expect(
    placed(
      [
        [2, 1],
        [2, 2],
      ],
      { revision: 2, ordinal: 2 },
    ),
  ).toEqual(['2.1', '2.2']);
  expect(placed([], next)).toEqual([]);
});
