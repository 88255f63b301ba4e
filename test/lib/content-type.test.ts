import fc from 'fast-check';
import { expect, test } from 'vitest';
import { agreedContentType } from '../../src/lib/content-type.js';

test.each([
  ['application/json, application/json', 'application/json'],
  ['application/json,application/json , APPLICATION/JSON', 'application/json'],
  ['application/json; charset=utf-8, application/json', 'application/json; charset=utf-8'],
  ['application/json; charset=utf-8, application/json;charset=UTF-8', 'application/json; charset=utf-8'],
  [
    'application/json; charset=utf-8, application/json; charset=latin1',
    'application/json; charset=utf-8; charset=latin1',
  ],
])('%s is one', (header, one) => {
  expect(agreedContentType(header)).toBe(one);
});

test.each([
  'application/json, text/plain',
  'application/json,',
  ', application/json',
  'application/json; a="x, application/json"',
])('%s stays as it is', (header) => {
  expect(agreedContentType(header)).toBe(header);
});

test('what comes out names a media type that went in, or is what went in', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a/b', 'A/B; c=d', 'a/c', ' ', ''), { minLength: 2 }), (values) => {
      const header = values.join(',');
      const types = new Set(values.map((value) => (value.split(';')[0] ?? '').trim().toLowerCase()));
      const one = agreedContentType(header);
      if (types.size > 1) expect(one).toBe(header);
      else expect(types).toContain(one.split(';')[0]);
    }),
  );
});
