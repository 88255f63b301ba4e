import { describe, expect, test } from 'vitest';
import { nothingAllowed, parseAllowList } from '../../src/domain/webhook-address.js';
import { failuresOfUrl } from '../../src/domain/webhook-url.js';
import { insideForms, loopbackForms } from '../support/private-urls.js';

const codesOf = (url: string, allow = nothingAllowed) => failuresOfUrl(url, allow).map(({ code }) => code);

test.each([...loopbackForms, ...insideForms])('%s leads inside, however it is spelled', (host) => {
  expect(codesOf(`http://${host}:8080/hook`)).toEqual(['private-address']);
  expect(codesOf(`https://${host}/`)).toEqual(['private-address']);
});

test.each([
  'https://shop.example/hooks?a=1',
  'http://8.8.8.8:8080/',
  'https://[2606:4700:4700::1111]/',
  'https://bücher.example/',
])('control: %s may be tried', (url) => {
  expect(codesOf(url)).toEqual([]);
});

describe('a URL is refused', () => {
  test.each([
    'ftp://shop.example/',
    'file:///etc/passwd',
    'gopher://shop.example',
    'javascript:alert(1)',
    'data:,x',
    'unix:/x',
  ])('for its scheme: %s', (url) => {
    expect(codesOf(url)).toEqual(['scheme']);
  });

  test.each([
    '',
    '/hook',
    'shop.example',
    'http://',
    'http://a b/',
    'http://1.2.3.4.5/',
    'http://[::1',
    'http://256.1.1.1/',
  ])('for not being one: %j', (url) => {
    expect(codesOf(url)).toEqual(['format']);
  });

  test('for everything that is wrong with it at once', () => {
    expect(codesOf('http://me:secret@127.1/#x')).toEqual(['credentials', 'fragment', 'private-address']);
  });
});

test('what the operator allows passes, and nothing beside it', () => {
  const allow = parseAllowList('localhost,127.0.0.1') ?? nothingAllowed;
  for (const host of ['localhost', 'LOCALHOST.', '127.1', '0x7f000001', '[::ffff:127.0.0.1]'])
    expect(codesOf(`http://${host}/`, allow), host).toEqual([]);
  for (const host of ['a.localhost', '127.0.0.2', '[::1]', '0.0.0.0'])
    expect(codesOf(`http://${host}/`, allow), host).toEqual(['private-address']);
});
