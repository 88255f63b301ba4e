import { anyOf, wire } from '../load/load.js';
import { call, KEYS, keyOf, PRICES, priceOf } from '../records.js';
import type { Prepared, Scenario } from '../scenario.js';
import type { World } from '../world.js';
import { CLIENTS, pathOf, RECORDS } from './hot-reads.js';
import { isPage, type ListPage } from './lists.js';
import { answerOf, ofReference, ofService } from './subjects.js';

const prices = Array.from({ length: PRICES }, (_, price) => price);
const countOf = (price: number) => Math.ceil((KEYS - price) / PRICES);

export const filteredLists: Scenario = {
  id: 'filtered-lists',
  title: `Lists filtered by an indexed member, about ${countOf(0)} of ${KEYS.toLocaleString('en')} records, ${CLIENTS} clients`,
  shows: 'rate',
  prepare: async (world): Promise<Prepared> => {
    const service = await world.products();
    const pathFor = (price: number) => `${RECORDS}?filter[price][eq]=${price}`;
    const real = await answerOf(service.url, pathFor(0));
    const homeMade = await startHomeMade(world, 'filtered', real.headers);
    await requireSameItems(service.url + pathFor(1), `${homeMade.url}/items?price=1`);
    const load = (url: string, path: (price: number) => string) => ({
      url,
      connections: CLIENTS,
      requests: {
        type: 'single' as const,
        next: anyOf(prices.map((price) => wire('GET', url, path(price)))),
        isRight: (body: string) => isPage(body, countOf(PRICES - 1), countOf(0)),
      },
    });
    return {
      subjects: [
        ofService(service, {}, load(service.url, pathFor)),
        ofReference(
          'query',
          'one query each, by an indexed column',
          { pid: homeMade.pid, postmaster: world.postmaster },
          load(homeMade.url, (price) => `/items?price=${price}`),
        ),
      ],
      aims: [
        { subject: 'service', reference: 'query', metric: 'rate' },
        { subject: 'service', metric: 'loopDelayP99Ms', bound: { atMost: 50 } },
      ],
      notes: [],
    };
  },
};

/** What somebody would write instead, on a database of its own, with the records that the service has. */
export async function startHomeMade(world: World, name: string, headers: [string, string][] = []) {
  const { url } = await world.products();
  const items = [];
  for (let index = 0; index < KEYS; index += 1) {
    items.push({ key: keyOf(index), price: priceOf(index), body: (await answerOf(url, pathOf(index))).body });
  }
  const databaseUrl = await world.database(`home_made_${name}`);
  return world.startServer('home-made', { databaseUrl, poolSize: world.poolSize, headers, items });
}

async function requireSameItems(service: string, reference: string): Promise<void> {
  const [expected, found]: ListPage[] = [await call(service, 'GET', ''), await call(reference, 'GET', '')];
  if (JSON.stringify(expected?.items) !== JSON.stringify(found?.items)) {
    throw new Error(`${reference} does not hold what the service sends`);
  }
}
