import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { RecordPage } from '../../scripts/demo/client.js';

const CONNECTION_HEADERS = [
  'host',
  'connection',
  'keep-alive',
  'content-length',
  'content-encoding',
  'transfer-encoding',
];

/**
 * Stands before a service and plants the bug that the demo has to notice: pages in the manner of
 * `WHERE key > last ORDER BY key LIMIT n`, each of them read from what is current when it is asked for, while
 * the answer claims the revision of the first page. Everything else is passed on as it is.
 */
export function createCarelessProxy(target: string): Server {
  const readCurrent = currentReader(target);
  return createServer((request, response) => {
    const url = new URL(request.url ?? '/', target);
    const isList = request.method === 'GET' && /^\/v1\/collections\/[^/]+\/records$/.test(url.pathname);
    const work =
      isList && !url.searchParams.has('revision')
        ? answerCarelessly(url, readCurrent, response)
        : passOn(url, request, response);
    work.catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
}

async function answerCarelessly(
  url: URL,
  readCurrent: (path: string) => Promise<RecordPage>,
  response: ServerResponse,
): Promise<void> {
  const current = await readCurrent(url.pathname);
  const [revision, lastKey] = (url.searchParams.get('cursor') ?? '').split('~');
  const claimed = lastKey === undefined ? current.revision : Number(revision);
  const rest = current.items.filter(({ key }) => lastKey === undefined || key > lastKey);
  const items = rest.slice(0, Number(url.searchParams.get('limit')));
  const next = rest.length > items.length ? `${claimed}~${items.at(-1)?.key}` : null;
  response.writeHead(200, { 'Content-Type': 'application/json', 'Diptych-Revision': String(claimed) });
  response.end(JSON.stringify({ items, next, revision: claimed }));
}

/** Reads a whole list as it is now; again only when the head has moved. */
function currentReader(target: string): (path: string) => Promise<RecordPage> {
  const kept = new Map<string, RecordPage>();
  return async (path) => {
    const log = await fetch(`${target}/v1/commits?limit=1`);
    await log.arrayBuffer();
    const name = `${log.headers.get('Diptych-Revision')} ${path}`;
    const page =
      kept.get(name) ?? ((await (await fetch(`${target}${path}?limit=1000`)).json()) as RecordPage);
    kept.set(name, page);
    return page;
  };
}

async function passOn(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  const answer = await fetch(url, {
    method: request.method ?? 'GET',
    headers: endToEnd(Object.entries(request.headers as Record<string, string>)),
    ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
  });
  response.writeHead(answer.status, endToEnd([...answer.headers]));
  response.end(Buffer.from(await answer.arrayBuffer()));
}

/** The headers that are not about one connection. */
function endToEnd(headers: [string, string][]): Record<string, string> {
  return Object.fromEntries(headers.filter(([name]) => !CONNECTION_HEADERS.includes(name)));
}
