import { keyOf, seed } from '../records.js';
import type { Prepared, Scenario } from '../scenario.js';
import { oneTransactionEach, serviceCommits } from './commits.js';
import { CLIENTS } from './hot-reads.js';

const COLLECTION = 'contended';
const oneKey = () => keyOf(0);

export const contention: Scenario = {
  id: 'contention',
  title: `Durable commits to one and the same record, ${CLIENTS} clients`,
  shows: 'rate',
  prepare: async (world): Promise<Prepared> => {
    const service = await world.products();
    await seed(service.url, COLLECTION);
    return {
      subjects: [
        serviceCommits(service, COLLECTION, CLIENTS, oneKey),
        await oneTransactionEach(world, 'contention', CLIENTS, oneKey),
      ],
      aims: [
        { subject: `service-${CLIENTS}`, reference: `transaction-${CLIENTS}`, metric: 'rate' },
        { subject: `service-${CLIENTS}`, metric: 'loopDelayP99Ms', bound: { atMost: 50 } },
      ],
      notes: ['No commit says which version it saw: each replaces the one before it.'],
    };
  },
};
