import { anyOf, wire } from '../load/load.js';
import { KEYS } from '../records.js';
import type { Prepared, Scenario } from '../scenario.js';
import { CLIENTS, pathOf } from './hot-reads.js';
import { answerOf, ofReference, ofService } from './subjects.js';

const NOT_MODIFIED = [304];

export const notModified: Scenario = {
  id: 'not-modified',
  title: `Conditional reads answered by 304, ${KEYS.toLocaleString('en')} records, ${CLIENTS} clients`,
  shows: 'rate',
  prepare: async (world): Promise<Prepared> => {
    const service = await world.products();
    const tags: string[] = [];
    for (let index = 0; index < KEYS; index += 1) {
      tags.push((await answerOf(service.url, pathOf(index))).tag);
    }
    const { headers } = await answerOf(service.url, pathOf(0), { 'If-None-Match': tags[0] ?? '' });
    const bare = await world.startServer('bare', {
      routes: [{ path: '/v1/collections/:collection/records/:key', headers, body: '' }],
    });
    const load = (url: string) => ({
      url,
      connections: CLIENTS,
      statuses: NOT_MODIFIED,
      requests: {
        type: 'single' as const,
        next: anyOf(
          tags.map((tag, index) => wire('GET', url, pathOf(index), { headers: { 'If-None-Match': tag } })),
        ),
        isRight: (body: string) => body === '',
      },
    });
    return {
      subjects: [
        ofService(service, {}, load(service.url)),
        ofReference('bare', 'bare route, 304 as well', bare, load(bare.url)),
      ],
      aims: [{ subject: 'service', reference: 'bare', metric: 'rate', bound: { atLeast: 0.7 } }],
      notes: [],
    };
  },
};
