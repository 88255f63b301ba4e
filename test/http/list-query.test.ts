import { describe, expect, test } from 'vitest';
import { fieldsText, filterParameters, sortText, timeText } from '../../src/http/schemas/list-query.js';

describe('filter', () => {
  test.each([
    [['filter[price][gte]', '5'], { path: 'price', op: 'gte', value: '5' }],
    [['filter[size.width][lt]', '1'], { path: 'size.width', op: 'lt', value: '1' }],
    [['filter[/a~1b/0][eq]', ''], { path: '/a~1b/0', op: 'eq', value: '' }],
    [['filter[odd%5Bname%5D][exists]', 'true'], { path: 'odd[name]', op: 'exists', value: 'true' }],
    [['filter[percent%2541][eq]', 'x'], { path: 'percent%41', op: 'eq', value: 'x' }],
  ])('reads %j', (parameter, filter) => {
    expect(filterParameters.parse([parameter])).toEqual([filter]);
  });

  test('reads the nested objects that generated clients send as JSON', () => {
    expect(filterParameters.parse([['filter[price]', '{"gte":"5","lt":10}']])).toEqual([
      { path: 'price', op: 'gte', value: '5' },
      { path: 'price', op: 'lt', value: '10' },
    ]);
  });

  test.each([
    'filter[price]',
    'filter[price][]',
    'filter[price][like]',
    'filter[][eq]',
    'filter[a..b][eq]',
    'filter[/a~2][eq]',
    'filter[price',
    'filter[a][constructor]',
  ])('refuses %s and names it', (name) => {
    const { error } = filterParameters.safeParse([[name, '5']]);
    expect(error?.issues).toMatchObject([{ params: { parameter: name } }]);
  });

  test('exists takes true or false only', () => {
    expect(filterParameters.safeParse([['filter[a][exists]', '1']]).success).toBe(false);
  });
});

describe('sort', () => {
  test('reads each term with its direction', () => {
    expect(sortText.parse('-price,key,/a~1b')).toEqual([
      { path: 'price', descending: true },
      { path: 'key', descending: false },
      { path: '/a~1b', descending: false },
    ]);
  });

  test.each(['', '-', 'a,', 'a,,b', 'a,-a', '--a.', 'a..b'])('refuses %j', (text) => {
    expect(sortText.safeParse(text).success).toBe(false);
  });
});

test('sort takes eight terms, and no more', () => {
  expect(sortText.parse('a,b,c,d,e,f,g,key')).toHaveLength(8);
  expect(sortText.safeParse('a,b,c,d,e,f,g,h,key').success).toBe(false);
});

test('fields reads paths, each once', () => {
  expect(fieldsText.parse('name,price,name')).toEqual(['name', 'price']);
  expect(fieldsText.safeParse('name,').success).toBe(false);
});

test.each(['2026-11-22', 'now', '2026-02-30T00:00:00Z', '2026-11-22T10:00:00', ''])(
  'a time without day, time and zone is refused: %j',
  (text) => {
    expect(timeText.safeParse(text).success).toBe(false);
  },
);

test('a time may have any offset', () => {
  expect(timeText.parse('2026-11-22T12:00:00.250+02:00')).toEqual(new Date('2026-11-22T10:00:00.250Z'));
});
