// Writes openapi/openapi.json and docs/errors.md from the built service: npm run openapi

import { mkdir, writeFile } from 'node:fs/promises';
import { problemsMarkdown } from '../dist/http/problem-pages.js';
import { renderOpenapi } from '../dist/openapi.js';

const root = new URL('../', import.meta.url);

await mkdir(new URL('openapi/', root), { recursive: true });
await writeFile(new URL('openapi/openapi.json', root), await renderOpenapi());
await writeFile(new URL('docs/errors.md', root), problemsMarkdown());
