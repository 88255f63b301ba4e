import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FeedChange } from '../../src/domain/feed-change.js';
import { feedFormats, formatChange } from '../../src/domain/feed-format.js';
import { rowNumber } from '../../src/domain/feed-format-rows.js';

const update: FeedChange = {
  revision: 7,
  ordinal: 3,
  operation: 'update',
  collection: 'products',
  key: 'tea "green"\u2028',
  before: { version: 1, content: '{"price":4}' },
  after: { version: 2, content: '{"10":1,"2":[{}]}' },
  committedAt: new Date('2026-11-22T10:00:00.000Z'),
  author: 'ann',
  message: null,
};
const creation: FeedChange = { ...update, operation: 'create', before: null };
const deletion: FeedChange = { ...update, operation: 'delete', after: null };

const itemsOf = (change: FeedChange, format: (typeof feedFormats)[number]) =>
  formatChange(change, format).map((item) => JSON.parse(item));

test.each(feedFormats)('every item of %s is one line of JSON, whatever texts are in it', (format) => {
  const texts = fc.record({
    key: fc.string({ minLength: 1, unit: 'binary' }),
    author: fc.string({ unit: 'binary' }),
    message: fc.option(fc.string({ unit: 'binary' })),
    data: fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), { noNullPrototype: true }),
  });
  fc.assert(
    fc.property(texts, ({ key, author, message, data }) => {
      const after = { version: 2, content: JSON.stringify(data) };
      for (const item of formatChange({ ...update, key, author, message, after }, format)) {
        expect(item).not.toMatch(/[\r\n]/);
        expect(JSON.parse(item)).toBeTypeOf('object');
      }
    }),
  );
});

describe('rows', () => {
  test('an update is the row before and the row after, next to each other; the others are one row', () => {
    const common = {
      collection: 'products',
      record_key: update.key,
      revision: 7,
      author: 'ann',
      message: null,
    };
    expect(itemsOf(update, 'rows')).toEqual([
      {
        ...common,
        seq: 14_000_000_006,
        row_kind: '-U',
        version: 1,
        committed_at: '2026-11-22T10:00:00.000',
        payload: { price: 4 },
      },
      {
        ...common,
        seq: 14_000_000_007,
        row_kind: '+U',
        version: 2,
        committed_at: '2026-11-22T10:00:00.000',
        payload: { 10: 1, 2: [{}] },
      },
    ]);
    expect(itemsOf(creation, 'rows')).toMatchObject([{ row_kind: '+I', version: 2 }]);
    expect(itemsOf(deletion, 'rows')).toMatchObject([{ row_kind: '-D', version: 1 }]);
  });

  test('the number of a row strictly increases along the feed, and fits 64 bits', () => {
    const revision = fc.integer({ min: 1, max: 4_611_686_017 });
    const ordinal = fc.integer({ min: 1, max: 999_999_999 });
    const row = fc.tuple(revision, ordinal, fc.constantFrom('-U' as const, '+U' as const));
    // A few revisions and ordinals, so that rows often differ in the last place only.
    const near = fc.tuple(
      fc.integer({ min: 1, max: 2 }),
      fc.constantFrom(1, 2, 999_999_998, 999_999_999),
      fc.constantFrom('-U' as const, '+U' as const),
    );
    type Row = [number, number, '-U' | '+U'];
    const isBefore = (a: Row, b: Row) =>
      a[0] !== b[0] ? a[0] < b[0] : a[1] !== b[1] ? a[1] < b[1] : a[2] === '-U' && b[2] === '+U';
    const numberOf = ([at, place, kind]: Row) => rowNumber({ revision: at, ordinal: place }, kind);
    fc.assert(
      fc.property(fc.oneof(row, near), fc.oneof(row, near), (a, b) => {
        expect(numberOf(a) < numberOf(b)).toBe(isBefore(a, b));
        expect(numberOf(a) < 2n ** 63n).toBe(true);
      }),
    );
  });

  test('the number is written exactly, also beyond what a JavaScript number holds', () => {
    const [item] = formatChange({ ...creation, revision: 4_611_686_017, ordinal: 999_999_999 }, 'rows');
    expect(item).toContain('"seq":9223372035999999999,');
  });
});

test('debezium: whole rows, whose content is a text; the row before is there for updates and deletions', () => {
  const before = { collection: 'products', record_key: update.key, version: 1, payload: '{"price":4}' };
  const after = { ...before, version: 2, payload: '{"10":1,"2":[{}]}' };
  const ts = Date.parse('2026-11-22T10:00:00.000Z');
  const source = { table: 'products', ts_ms: ts, revision: 7, ordinal: 3, author: 'ann', message: null };
  expect(itemsOf(update, 'debezium')).toMatchObject([{ before, after, op: 'u', ts_ms: ts, source }]);
  expect(itemsOf(creation, 'debezium')).toMatchObject([{ before: null, after, op: 'c' }]);
  expect(itemsOf(deletion, 'debezium')).toMatchObject([{ before, after: null, op: 'd' }]);
});

test('cloudevents: the attributes that version 1.0 demands, and an id that stays', () => {
  expect(itemsOf(update, 'cloudevents')).toEqual([
    {
      specversion: '1.0',
      id: '7.3',
      source: '/v1/collections/products',
      type: 'diptych.record.updated',
      subject: update.key,
      time: '2026-11-22T10:00:00.000Z',
      datacontenttype: 'application/json',
      data: {
        revision: 7,
        ordinal: 3,
        operation: 'update',
        collection: 'products',
        key: update.key,
        before: { version: 1, data: { price: 4 } },
        after: { version: 2, data: { 10: 1, 2: [{}] } },
        author: 'ann',
        message: null,
      },
    },
  ]);
  expect(itemsOf(creation, 'cloudevents')).toMatchObject([{ type: 'diptych.record.created' }]);
  expect(itemsOf(deletion, 'cloudevents')).toMatchObject([{ type: 'diptych.record.deleted' }]);
});
