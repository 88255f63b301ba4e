import { wire } from '../load/load.js';
import { bodyOfCommit, call, KEYS, keyOf, nameOf, seed } from '../records.js';
import type { Prepared, Scenario } from '../scenario.js';
import { CLIENTS } from './hot-reads.js';
import { answerOf, ofReference, ofService } from './subjects.js';

const COLLECTION = 'told';
const LIMIT = 100;
/** Commits of one change each, over which the readers are spread. */
const COMMITS = 1_000;

interface FeedPage {
  changes: { key: string; after: { data: { name: string } } | null }[];
  head: number;
}

export const feed: Scenario = {
  id: 'feed',
  title: `Pages of ${LIMIT} changes of the feed, anywhere in the last ${COMMITS.toLocaleString('en')}, ${CLIENTS} clients`,
  shows: 'rate',
  prepare: async (world): Promise<Prepared> => {
    const service = await world.products();
    await seed(service.url, COLLECTION);
    const first = (await call<FeedPage>(service.url, 'GET', '/v1/changes?limit=1')).head;
    await makeCommits(service.url);
    const pathAfter = (revision: number) =>
      `/v1/changes?collection=${COLLECTION}&limit=${LIMIT}&after=${revision}`;
    const anywhere = () => first + Math.floor(Math.random() * (COMMITS - LIMIT));
    const real = await answerOf(service.url, pathAfter(first));
    const bare = await world.startServer('bare', {
      routes: [{ path: '/v1/changes', headers: real.headers, body: real.body }],
    });
    const load = (url: string) => ({
      url,
      connections: CLIENTS,
      requests: {
        type: 'single' as const,
        next: () => wire('GET', url, pathAfter(anywhere())),
        isRight: isFeedPage,
      },
    });
    return {
      subjects: [
        ofService(service, {}, load(service.url)),
        ofReference('bare', 'bare route, same bytes', bare, load(bare.url)),
      ],
      aims: [
        { subject: 'service', reference: 'bare', metric: 'rate' },
        { subject: 'service', metric: 'loopDelayP99Ms', bound: { atMost: 50 } },
      ],
      notes: [
        `A page has ${Math.round(real.body.length / 1_000)} kB: the record before and after each change.`,
      ],
    };
  },
};

/** Pages that follow on one or another revision up to `head`, whatever is on them. */
export const feedLoad = (url: string, head: number) => ({
  type: 'single' as const,
  next: () => wire('GET', url, `/v1/changes?limit=${LIMIT}&after=${Math.floor(Math.random() * head)}`),
});

async function makeCommits(url: string): Promise<void> {
  let made = 0;
  while (made < COMMITS) {
    const count = Math.min(CLIENTS, COMMITS - made);
    const bodies = Array.from({ length: count }, (_, n) =>
      bodyOfCommit(COLLECTION, keyOf((made + n) % KEYS)),
    );
    await Promise.all(bodies.map((body) => call(url, 'POST', '/v1/commits', JSON.parse(body))));
    made += count;
  }
}

function isFeedPage(body: string): boolean {
  const { changes } = JSON.parse(body) as FeedPage;
  return changes.length === LIMIT && changes.every(({ key, after }) => after?.data.name === nameOf(key));
}
