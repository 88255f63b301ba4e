import { anyOf, wire } from '../load/load.js';
import { COLLECTION, isRecord, KEYS, keyOf } from '../records.js';
import * as etcds from '../references/etcd.js';
import { type Prepared, present, type Scenario } from '../scenario.js';
import type { World } from '../world.js';
import { answerOf, NOT_INSTALLED, ofReference, ofService, requireSame, withoutOwn } from './subjects.js';

export const RECORDS = `/v1/collections/${COLLECTION}/records`;
export const pathOf = (index: number) => `${RECORDS}/${keyOf(index)}`;
export const CLIENTS = 64;

const indexes = Array.from({ length: KEYS }, (_, index) => index);

/** Reads of any of the keys, from whoever listens there. */
export const readsOf = (url: string) => ({
  type: 'single' as const,
  next: anyOf(indexes.map((index) => wire('GET', url, pathOf(index)))),
  isRight: isRecord,
});

/** The bare route, as it sends a record. */
export async function bareRecords(world: World) {
  const { url } = await world.products();
  const { headers, body } = await answerOf(url, pathOf(0));
  return world.startServer('bare', {
    routes: [{ path: '/v1/collections/:collection/records/:key', headers, body }],
  });
}

export const hotReads: Scenario = {
  id: 'hot-reads',
  title: `Linearizable reads of ${KEYS.toLocaleString('en')} records, ${CLIENTS} clients`,
  shows: 'rate',
  prepare: async (world): Promise<Prepared> => {
    const service = await world.products();
    const bare = await bareRecords(world);
    const { headers } = await answerOf(service.url, pathOf(0));
    const joins = await world.startServer('joins', {
      databaseUrl: service.databaseUrl,
      poolSize: world.poolSize,
      headers: withoutOwn(headers, 'etag', 'diptych-revision'),
      cursors: {},
    });
    await requireSame(service.url, bare.url, [pathOf(0)]);
    await requireSame(service.url, joins.url, [pathOf(0), pathOf(1), pathOf(KEYS - 1)]);
    const [etcd, pgbench] = [await world.etcd(), await world.pgbench()];
    if (etcd !== null) {
      await fill(etcd, service.url);
    }
    const { postmaster } = world;
    return {
      subjects: present([
        ofService(service, {}, { connections: CLIENTS, requests: readsOf(service.url) }),
        ofReference('bare', 'bare route, same bytes', bare, {
          url: bare.url,
          connections: CLIENTS,
          requests: { ...readsOf(bare.url), isRight: () => true },
        }),
        ofReference(
          'join',
          'one prepared join each',
          { pid: joins.pid, postmaster },
          {
            url: joins.url,
            connections: CLIENTS,
            requests: readsOf(joins.url),
          },
        ),
        etcd &&
          ofReference('etcd', 'etcd, linearizable gets', etcd, {
            url: etcd.url,
            connections: CLIENTS,
            requests: {
              type: 'single',
              next: anyOf(indexes.map((index) => etcds.rangeRequest(etcd.url, keyOf(index)))),
              isRight: (body) => isRecord(etcds.valueIn(body)),
            },
          }),
        pgbench?.subject('read', CLIENTS),
      ]),
      aims: [
        { subject: 'service', reference: 'bare', metric: 'rate', bound: { atLeast: 0.65 } },
        { subject: 'service', reference: 'join', metric: 'rate', bound: { atLeast: 3 } },
        { subject: 'service', reference: 'etcd', metric: 'rate', bound: { atLeast: 2 }, hope: 3 },
        { subject: 'service', metric: 'loopDelayP99Ms', bound: { atMost: 50 } },
      ],
      notes: [...(etcd ? [] : [NOT_INSTALLED.etcd]), ...(pgbench ? [] : [NOT_INSTALLED.pgbench])],
    };
  },
};

/** Gives etcd what the service answers under each key. */
async function fill(etcd: etcds.Etcd, url: string): Promise<void> {
  const copy = async (index: number) =>
    etcds.put(etcd.url, keyOf(index), (await answerOf(url, pathOf(index))).body);
  for (let first = 0; first < KEYS; first += CLIENTS) {
    await Promise.all(indexes.slice(first, first + CLIENTS).map(copy));
  }
}
