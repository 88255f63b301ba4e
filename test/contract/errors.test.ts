import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { statusOfCode } from '../../src/http/problem.js';
import { errorCodes, problemPage, problemsMarkdown } from '../../src/http/problem-pages.js';
import { renderOpenapi } from '../../src/openapi.js';

/** Refusals of what is no operation at all; the introduction of the document tells of them. */
const OUTSIDE = ['route-not-found', 'method-not-allowed'];

test('docs/errors.md is what the catalogue says; `npm run openapi` writes it anew', async () => {
  const committed = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');
  expect(problemsMarkdown()).toBe(committed);
});

test('every code of the catalogue is documented with some operation, and under its own status', async () => {
  const { paths, info } = JSON.parse(await renderOpenapi());
  const references = JSON.stringify(paths).matchAll(
    /"(\d{3})":\{"\$ref":"#\/components\/responses\/([^"]+)"/g,
  );
  const documented = [...references].flatMap(([, status, names = '']) =>
    names
      .split('.')
      .filter((name) => name !== 'patch' && name !== 'read')
      .map((code) => `${status} ${code}`),
  );
  const expected = errorCodes.map((code) => `${statusOfCode(code)} ${code}`);
  const inText = expected.filter((entry) => OUTSIDE.some((code) => entry.endsWith(code)));
  expect([...new Set([...documented, ...inText])].sort()).toEqual([...expected].sort());
  for (const code of OUTSIDE) {
    expect(info.description).toContain(code);
  }
});

test('every code is a name that RFC 9457 and programs can use', () => {
  for (const code of errorCodes) {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/);
  }
});

test('every page of a code says its title and its help, escaped', () => {
  for (const code of errorCodes) {
    const html = problemPage(code);
    expect(html).toMatch(/<h1>[^<]{5,}<\/h1>/);
    expect(html).not.toMatch(/`|<token>/);
  }
});
