import { describe, expect, test } from 'vitest';
import type { KeptRecord } from '../../src/domain/kept-answer.js';
import { maxNews, type News } from '../../src/store/news.js';
import { ReadCache, type Source } from '../../src/store/read-cache.js';

const record = (text = 'text'): KeptRecord => ({ type: 'record', text, tag: '"tag"' });
const of = (recordId: number, revision: number): Source => ({ type: 'record', recordId, revision });
const list = (collectionId: number): Source => ({ type: 'collection', collectionId });
const news = (since: number, head: number, changes: News['changes']): News => ({ since, head, changes });

/** Loads and keeps at once, with nothing in between. */
function put(cache: ReadCache, name: string, source: Source, text = 'text'): void {
  const load = cache.beginLoad();
  cache.endLoad(load);
  cache.keep(load, name, record(text), source, [text]);
}

describe('news', () => {
  test('drops the records that changed and the lists of their collections, and nothing else', () => {
    const cache = new ReadCache(100_000);
    put(cache, 'changed', of(1, 3));
    put(cache, 'other', of(2, 3));
    put(cache, 'its list', list(7));
    put(cache, 'other list', list(8));
    put(cache, 'of the past', { type: 'nothing' });
    cache.advance(news(0, 1, [[1, 7, 99]]));
    put(cache, 'its list', list(7));
    cache.advance(
      news(1, 4, [
        [2, 9, 50],
        [3, 9, 50],
        [4, 7, 1],
      ]),
    );
    expect(
      ['changed', 'other', 'its list', 'other list', 'of the past'].filter((name) => cache.has(name)),
    ).toEqual(['other', 'other list', 'of the past']);
    expect(cache.revision).toBe(4);
  });

  test('that comes late changes nothing: the revision only moves forward', () => {
    const cache = new ReadCache(100_000);
    cache.advance(news(0, 9, [[9, 1, 1]]));
    put(cache, 'a', of(1, 9));
    cache.advance(news(0, 8, [[8, 1, 1]]));
    expect(cache.revision).toBe(9);
    expect(cache.has('a')).toBe(true);
  });

  test('of a record that is kept as of that change or a later one leaves it', () => {
    const cache = new ReadCache(100_000);
    put(cache, 'a', of(1, 6));
    cache.advance(
      news(5, 7, [
        [6, 1, 1],
        [7, 1, 2],
      ]),
    );
    expect(cache.has('a')).toBe(true);
  });

  test('of a definition drops all lists, for a collection may have gone', () => {
    const cache = new ReadCache(100_000);
    put(cache, 'list', list(1));
    put(cache, 'a', of(1, 1));
    cache.advance(news(0, 2, [[1, 2, 2]]));
    expect([cache.has('list'), cache.has('a')]).toEqual([false, true]);
  });

  test('that is too much to tell drops everything', () => {
    const cache = new ReadCache(100_000);
    put(cache, 'a', of(1, 1));
    cache.advance(news(0, maxNews + 1, null));
    expect(cache.has('a')).toBe(false);
    expect(cache.bytes).toBe(0);
  });

  test('of a database that was set back drops everything and goes back with it', () => {
    const cache = new ReadCache(100_000);
    cache.advance(news(0, 9, null));
    put(cache, 'a', of(1, 1));
    cache.advance(news(9, 5, []));
    expect(cache.has('a')).toBe(false);
    expect(cache.revision).toBe(5);
  });
});

describe('what was read before a change that the cache has been told of since is not kept', () => {
  test.each<[string, Source, News, boolean]>([
    [
      'the record changed',
      of(1, 5),
      news(5, 7, [
        [6, 1, 1],
        [7, 1, 2],
      ]),
      false,
    ],
    [
      'the record changed, and was read after that',
      of(1, 6),
      news(5, 7, [
        [6, 1, 1],
        [7, 1, 2],
      ]),
      true,
    ],
    [
      'another record changed',
      of(3, 5),
      news(5, 7, [
        [6, 1, 1],
        [7, 1, 2],
      ]),
      true,
    ],
    ['the collection changed', list(1), news(5, 6, [[6, 1, 9]]), false],
    ['another collection changed', list(2), news(5, 6, [[6, 1, 9]]), true],
    ['a list, and a definition changed', list(2), news(5, 6, []), false],
    ['a record, and a definition changed', of(1, 5), news(5, 6, []), true],
    ['a record, and too much changed', of(1, 5), news(5, 7, null), false],
    ['of the past, whatever changed', { type: 'nothing' }, news(5, 7, null), true],
  ])('%s', (_, source, told, isKept) => {
    const cache = new ReadCache(100_000);
    cache.advance(news(0, 5, null));
    const load = cache.beginLoad();
    cache.advance(told);
    cache.endLoad(load);
    cache.keep(load, 'a', record(), source, ['text']);
    expect(cache.has('a')).toBe(isKept);
  });
});

describe('what this process has committed', () => {
  const committed = (revision: number, make: () => KeptRecord, content = 'content') => ({
    since: revision - 1,
    head: revision,
    changes: [{ revision, collectionId: 7, recordId: 1, answer: { make, texts: [content] } }],
  });

  test('is made when it is asked for, once', () => {
    const cache = new ReadCache(100_000);
    put(cache, 'a', of(1, 0));
    const made: number[] = [];
    const makeOf = (revision: number) => () => {
      made.push(revision);
      return record(`text ${revision}`);
    };
    for (const revision of [1, 2]) cache.follow(committed(revision, makeOf(revision)));
    expect(made).toEqual([]);
    expect([cache.get('a'), cache.get('a')]).toEqual([record('text 2'), record('text 2')]);
    expect(made).toEqual([2]);
    cache.advance(news(2, 3, [[3, 7, 1]]));
    expect(cache.has('a')).toBe(false);
  });

  test('takes what it is made of, and then what it is', () => {
    const cache = new ReadCache(100_000);
    put(cache, 'a', of(1, 0), 'x');
    const least = cache.bytes;
    cache.follow(committed(1, () => record('x'.repeat(1_000)), 'x'.repeat(900)));
    expect(cache.bytes - least).toBeGreaterThan(800);
    expect(cache.bytes - least).toBeLessThan(900);
    cache.get('a');
    expect(cache.bytes - least).toBe(1_000 + '"tag"'.length - 1);
  });

  test('is answered and not kept when it turns out to be too large', () => {
    const cache = new ReadCache(4_000);
    put(cache, 'a', of(1, 0));
    const large = record('x'.repeat(1_000));
    cache.follow(committed(1, () => large));
    expect(cache.get('a')).toEqual(large);
    expect([cache.has('a'), cache.bytes]).toEqual([false, 0]);
    cache.advance(news(1, 2, [[2, 7, 1]]));
  });
});

describe('memory', () => {
  test('the least recently used go first, and their sources with them', () => {
    const cache = new ReadCache(10_000);
    const text = 'x'.repeat(1_400);
    for (const id of [1, 2, 3, 4]) put(cache, `${id}`, of(id, 1), text);
    cache.get('1');
    for (const id of [5, 6]) put(cache, `${id}`, of(id, 1), text);
    expect([1, 2, 3, 4, 5, 6].filter((id) => cache.has(`${id}`))).toEqual([1, 3, 4, 5, 6]);
    expect(cache.bytes).toBeLessThanOrEqual(10_000);
    cache.advance(
      news(0, 2, [
        [1, 1, 2],
        [2, 1, 1],
      ]),
    );
    expect(cache.has('1')).toBe(false);
  });

  test('texts beyond Latin-1 take two bytes for each character', () => {
    const narrow = new ReadCache(100_000);
    put(narrow, 'a', of(1, 1), 'é'.repeat(1_000));
    const wide = new ReadCache(100_000);
    put(wide, 'a', of(1, 1), 'ж'.repeat(1_000));
    expect(wide.bytes - narrow.bytes).toBe(1_000);
  });

  test('one answer does not drive out all the others, and with 0 bytes nothing is kept', () => {
    const cache = new ReadCache(10_000);
    put(cache, 'a', of(1, 1));
    put(cache, 'large', of(2, 1), 'x'.repeat(5_000));
    expect([cache.has('a'), cache.has('large')]).toEqual([true, false]);
    const none = new ReadCache(0);
    put(none, 'a', of(1, 1));
    expect([none.has('a'), none.get('a'), none.bytes]).toEqual([false, undefined, 0]);
  });
});
