import { describe, expect, test } from 'vitest';
import { parseQuery } from '../../src/http/query-string.js';

describe('parseQuery', () => {
  test('decodes names and values, with + as a space', () => {
    const { query, failures } = parseQuery('/x?a%20b=1+2&c=%C3%A9&empty=&bare');
    expect(failures).toEqual([]);
    expect({ ...query }).toEqual({ 'a b': '1 2', c: 'é', empty: '', bare: '' });
  });

  test('gathers the filters, in their order', () => {
    const { query } = parseQuery('/x?filter[price][gte]=5&limit=1&filter%5Bname%5D%5Beq%5D=a%26b');
    expect(query.filter).toEqual([
      ['filter[price][gte]', '5'],
      ['filter[name][eq]', 'a&b'],
    ]);
  });

  test('names a parameter that is given twice, however it is encoded', () => {
    const { failures } = parseQuery('/x?limit=1&l%69mit=2');
    expect(failures).toEqual([
      { pointer: '/limit', code: 'repeated', message: expect.any(String), in: 'query' },
    ]);
  });

  test.each(['/x?a=%', '/x?a=%zz', '/x?%FF=1', '/x?a=%C3', '/x?a=%ED%A0%80', '/x?a=%00'])(
    'refuses what no text can be: %s',
    (url) => {
      expect(parseQuery(url).failures).toMatchObject([{ code: 'encoding', in: 'query' }]);
    },
  );

  test('reports every failure at once', () => {
    expect(parseQuery('/x?a=%&b=1&b=2&c=%zz').failures).toHaveLength(3);
  });

  test('keeps names of the object prototype as plain parameters', () => {
    const { query } = parseQuery('/x?__proto__=1&constructor=2&toString=3');
    expect(Object.keys(query)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(query)).toBeNull();
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
