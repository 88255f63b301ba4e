import { expect, test } from 'vitest';
import { preferredType } from '../../src/http/accept.js';

const JSON_TYPE = 'application/json';
const LINES = 'application/x-ndjson';

test.each([
  [undefined, JSON_TYPE],
  ['', JSON_TYPE],
  ['*/*', JSON_TYPE],
  ['application/*', JSON_TYPE],
  ['text/html', JSON_TYPE],
  ['nonsense', JSON_TYPE],
  ['application/json, application/x-ndjson', JSON_TYPE],
  ['application/x-ndjson;q=0.5, */*', JSON_TYPE],
  ['application/x-ndjson;q=0', JSON_TYPE],
  ['application/x-ndjson;q=2', JSON_TYPE],
  ['application/x-ndjson;q=abc', JSON_TYPE],
  ['application/json;q=1, application/x-ndjson;q=0.9', JSON_TYPE],
  ['application/x-ndjson', LINES],
  ['Application/X-NDJSON ; Q=0.1', LINES],
  ['text/html, application/x-ndjson;charset=utf-8', LINES],
  ['application/json;q=0.5, application/x-ndjson', LINES],
  ['application/json;q=0.5, */*', LINES],
  ['application/json;q=0, application/*;q=0.2', LINES],
])('Accept: %s asks for %s', (accept, expected) => {
  expect(preferredType(accept, [JSON_TYPE, LINES])).toBe(expected);
});
