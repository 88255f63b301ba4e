import { once } from 'node:events';
import { applyLoad } from '../load/load.js';
import { measure } from '../load/measure.js';
import { COLLECTION } from '../records.js';
import type { Prepared, Scenario } from '../scenario.js';
import type { Committed } from '../servers/committer.js';
import { startWorker } from '../servers/start-server.js';
import { emptyLog, type Measured } from '../world.js';
import { bareRecords, CLIENTS, readsOf } from './hot-reads.js';
import { ofReference } from './subjects.js';

const COMMITS_PER_SECOND = 1_000;

export const readsBesideCommits: Scenario = {
  id: 'reads-beside-commits',
  title: `Reads beside ${COMMITS_PER_SECOND.toLocaleString('en')} commits a second to the same records, ${CLIENTS} clients`,
  shows: 'rate',
  prepare: async (world): Promise<Prepared> => {
    const service = await world.products();
    const bare = await bareRecords(world);
    return {
      subjects: [
        {
          id: 'service',
          name: 'service',
          target: service.target,
          run: (seconds) => readBesideCommits(service, seconds),
        },
        ofReference('bare', 'bare route, same bytes, alone', bare, {
          url: bare.url,
          connections: CLIENTS,
          requests: { ...readsOf(bare.url), isRight: () => true },
        }),
      ],
      aims: [
        { subject: 'service', reference: 'bare', metric: 'rate', bound: { atLeast: 0.45 } },
        { subject: 'service', metric: 'besideRate', bound: { atLeast: COMMITS_PER_SECOND * 0.95 } },
        { subject: 'service', metric: 'loopDelayP99Ms', bound: { atMost: 50 } },
      ],
      notes: ['The CPU of the service is told per read, and holds that of the commits beside.'],
    };
  },
};

async function readBesideCommits(service: Measured, seconds: number) {
  await emptyLog(service);
  const { url } = service;
  const committer = await startWorker('committer', { url, rate: COMMITS_PER_SECOND, collection: COLLECTION });
  try {
    const load = { url, connections: CLIENTS, requests: readsOf(url) };
    const figures = await measure(service.target, () => applyLoad(load, seconds));
    committer.send('stop');
    const [committed] = (await once(committer, 'message')) as [Committed];
    return {
      ...figures,
      besideRate: committed.rate,
      besideP99Ms: committed.p99Ms,
      wrong: (figures.wrong ?? 0) + committed.wrong,
    };
  } finally {
    committer.kill('SIGKILL');
  }
}
