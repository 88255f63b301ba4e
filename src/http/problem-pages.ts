import { createHash } from 'node:crypto';
import { catalogue, type ErrorCode } from '../domain/errors.js';
import { statusOfCode } from './problem.js';

const STYLE =
  'body{font:1.05rem/1.6 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color:#222;background:#fff}' +
  'code{background:#f2f2f4;padding:.1em .3em;border-radius:4px}h1{font-size:1.5rem;line-height:1.25}' +
  'td{padding:.3rem .8rem .3rem 0;vertical-align:top}a{color:#0b57a4}' +
  '@media(prefers-color-scheme:dark){body{color:#ddd;background:#16181d}code{background:#272a31}a{color:#8cc2ff}}';

/** Allows these pages their one style sheet, by its digest, and nothing else. */
export const PAGE_POLICY = `default-src 'none'; frame-ancestors 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

/** All codes of the catalogue: by status, then by name. */
export const errorCodes: readonly ErrorCode[] = (Object.keys(catalogue) as ErrorCode[]).sort(
  (a, b) => statusOfCode(a) - statusOfCode(b) || (a < b ? -1 : 1),
);

/** The page that `type` of a problem document leads to. */
export function problemPage(code: ErrorCode): string {
  const { title, help } = catalogue[code];
  return page(
    title,
    `<p>Status <code>${statusOfCode(code)}</code>, code <code>${code}</code></p>` +
      `<p>${htmlOf(help)}</p><p><a href="/problems">All problems</a> · <a href="/docs">The API</a></p>`,
  );
}

/** The page of all problems. */
export function problemsPage(): string {
  const rows = errorCodes.map(
    (code) =>
      `<tr><td>${statusOfCode(code)}</td><td><a href="/problems/${code}">${code}</a></td>` +
      `<td>${htmlOf(catalogue[code].title)}</td></tr>`,
  );
  return page('Problems', `<table>${rows.join('')}</table><p><a href="/docs">The API</a></p>`);
}

/** `docs/errors.md`, whole. */
export function problemsMarkdown(): string {
  const sections = errorCodes.map((code) => {
    const { title, help } = catalogue[code];
    return `## ${code}\n\n${statusOfCode(code)} · ${title}\n\n${help}\n`;
  });
  return [
    '# Errors\n',
    'Every refusal is a problem document (RFC 9457): `type`, `title`, `status`, `detail`, `code`, `instance`, `requestId`, and `errors` with all that is wrong at once. `type` is the path of a page that the service itself serves with the text below. `requestId` finds the request in the log.\n',
    'This page is written from the catalogue in `src/domain/errors.ts` by `npm run openapi`.\n',
    ...sections,
  ].join('\n');
}

function page(title: string, body: string): string {
  const heading = htmlOf(title);
  return (
    '<!doctype html><html lang="en"><head><meta charset="utf-8">' +
    '<meta name="viewport" content="width=device-width"><title>' +
    `${heading} · Diptych</title><style>${STYLE}</style></head><body><h1>${heading}</h1>${body}</body></html>\n`
  );
}

/** Escapes a text of the catalogue, in which backquotes mark code. */
function htmlOf(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/`([^`]*)`/g, '<code>$1</code>');
}
