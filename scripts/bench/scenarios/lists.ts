import { anyOf, wire } from '../load/load.js';
import { COLLECTION, call, isRecord, KEYS } from '../records.js';
import type { Prepared, Scenario } from '../scenario.js';
import { CLIENTS, RECORDS } from './hot-reads.js';
import { answerOf, ofReference, ofService, requireSame, withoutOwn } from './subjects.js';

const LIMIT = 100;

export interface ListPage {
  items: { key: string }[];
  next: string | null;
}

const pagesFrom = (url: string, paths: string[]) => ({
  type: 'single' as const,
  next: anyOf(paths.map((path) => wire('GET', url, path))),
  isRight: (body: string) => isPage(body, LIMIT, LIMIT),
});

/** Pages of one chain of cursors, from the service itself. */
export const listsOf = async (url: string) => pagesFrom(url, (await pagesOf(url)).paths);

export const lists: Scenario = {
  id: 'lists',
  title: `Pages of ${LIMIT} records, any of the ${KEYS / LIMIT} of a list, ${CLIENTS} clients`,
  shows: 'rate',
  prepare: async (world): Promise<Prepared> => {
    const service = await world.products();
    const { paths, cursors } = await pagesOf(service.url);
    const first = await answerOf(service.url, paths[0] ?? '');
    const bare = await world.startServer('bare', {
      routes: [{ path: '/v1/collections/:collection/records', headers: first.headers, body: first.body }],
    });
    const joins = await world.startServer('joins', {
      databaseUrl: service.databaseUrl,
      poolSize: world.poolSize,
      headers: withoutOwn(first.headers, 'diptych-revision'),
      cursors,
    });
    await requireSame(service.url, bare.url, paths.slice(0, 1));
    await requireSame(service.url, joins.url, paths);
    const load = (url: string) => ({ url, connections: CLIENTS, requests: pagesFrom(url, paths) });
    return {
      subjects: [
        ofService(service, {}, load(service.url)),
        ofReference('bare', 'bare route, same bytes', bare, load(bare.url)),
        ofReference(
          'query',
          'one query each',
          { pid: joins.pid, postmaster: world.postmaster },
          load(joins.url),
        ),
      ],
      aims: [
        { subject: 'service', reference: 'query', metric: 'rate', bound: { atLeast: 3 } },
        { subject: 'query', reference: 'bare', metric: 'rate' },
        { subject: 'service', metric: 'loopDelayP99Ms', bound: { atMost: 50 } },
      ],
      notes: [`A page has ${Math.round(first.body.length / 1_000)} kB.`],
    };
  },
};

/** The paths of all pages of one chain, and where each cursor leads. */
async function pagesOf(url: string) {
  const paths: string[] = [];
  const cursors: Record<string, { after: string; next: string | null }> = {};
  let cursor: string | null = '';
  let after = '';
  while (cursor !== null) {
    const path: string = `${RECORDS}?limit=${LIMIT}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`;
    const { items, next }: ListPage = await call(url, 'GET', path);
    paths.push(path);
    cursors[cursor] = { after, next };
    after = items.at(-1)?.key ?? after;
    cursor = next;
  }
  return { paths, cursors };
}

/** Whether these are so many records of the collection, each as it was written. */
export function isPage(body: string, least: number, most: number): boolean {
  const { items } = JSON.parse(body) as { items: { collection: string }[] };
  const isOne = (item: { collection: string }) =>
    item.collection === COLLECTION && isRecord(JSON.stringify(item));
  return items.length >= least && items.length <= most && items.every(isOne);
}
