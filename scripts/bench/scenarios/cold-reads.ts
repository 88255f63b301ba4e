import { fileURLToPath, pathToFileURL } from 'node:url';
import type pg from 'pg';
import type { Figures } from '../figures.js';
import { wire } from '../load/load.js';
import { call, withClient } from '../records.js';
import type { Prepared, Scenario, Subject } from '../scenario.js';
import type { Measured, World } from '../world.js';
import { CLIENTS } from './hot-reads.js';
import { answerOf, ofReference, ofService, requireSame, withoutOwn } from './subjects.js';

const COLLECTION = 'large';
const CONTENT_BYTES = 450;
/** Prime, and far from any number of records: a walk in such steps meets each record once before it meets one again. */
const STEP = 7_368_787;

const pathOf = (number: number) => `/v1/collections/${COLLECTION}/records/r${number}`;

export const coldReads: Scenario = {
  id: 'cold-reads',
  title: `Linearizable reads of a large store, each record once, ${CLIENTS} clients`,
  shows: 'rate',
  prepare: async (world, tell): Promise<Prepared> => {
    const { records } = world.sizes;
    const service = await startLarge(world);
    const { headers } = await answerOf(service.url, pathOf(1));
    const joins = await world.startServer('joins', {
      databaseUrl: service.databaseUrl,
      poolSize: world.poolSize,
      headers: withoutOwn(headers, 'etag', 'diptych-revision'),
      cursors: {},
    });
    await requireSame(service.url, joins.url, [pathOf(1), pathOf(records)]);
    const walk = walkThrough(records, service.url);
    return {
      subjects: [
        countingDistinct(ofService(service, {}, { connections: CLIENTS, requests: walk.requests }), walk),
        toTheEnd(
          ofService(
            service,
            { id: 'service-all', name: 'service, until each has been read' },
            { connections: CLIENTS, requests: walk.requests },
          ),
          { walk, records, tell },
        ),
        ofReference(
          'join',
          'one prepared join each',
          { pid: joins.pid, postmaster: world.postmaster },
          {
            url: joins.url,
            connections: CLIENTS,
            requests: walkThrough(records, joins.url).requests,
          },
        ),
      ],
      aims: [
        { subject: 'service', reference: 'join', metric: 'rate' },
        { subject: 'service-all', metric: 'rssMb', bound: { atMost: 300 } },
        { subject: 'service', metric: 'loopDelayP99Ms', bound: { atMost: 50 } },
      ],
      notes: [`${records.toLocaleString('en')} records of about ${CONTENT_BYTES} bytes.`],
      close: async () => {
        await joins.stop();
        await service.service.stop();
      },
    };
  },
};

/** A service on a database that was filled by plain SQL while no service ran on it. */
async function startLarge(world: World): Promise<Measured> {
  const databaseUrl = await world.database('diptych_large');
  const first = await world.startService(databaseUrl);
  await call(first.url, 'PUT', `/v1/collections/${COLLECTION}`, {});
  await first.service.stop();
  // It is shared with programs that are not compiled.
  const path = fileURLToPath(new URL('../../../scripts/bench/seed-versions.mjs', import.meta.url));
  const { seedVersions }: { seedVersions: SeedVersions } = await import(pathToFileURL(path).href);
  await withClient(databaseUrl, (client) =>
    seedVersions(client, {
      collection: COLLECTION,
      records: world.sizes.records,
      perRecord: 1,
      bytes: CONTENT_BYTES,
    }),
  );
  return world.startService(databaseUrl);
}

type SeedVersions = (
  client: pg.Client,
  options: { collection: string; records: number; perRecord: number; bytes: number },
) => Promise<void>;

interface Walk {
  requests: { type: 'single'; next: () => Buffer; isRight: (body: string) => boolean };
  /** How many different records have been asked for. */
  distinct: () => number;
}

function walkThrough(records: number, url: string): Walk {
  let steps = 0;
  return {
    requests: {
      type: 'single',
      next: () => {
        steps += 1;
        return wire('GET', url, pathOf(1 + ((steps * STEP) % records)));
      },
      isRight: (body) => {
        const { key, data } = JSON.parse(body) as { key: string; data: { n: number; text: string } };
        return key.startsWith('r') && data.n === 1;
      },
    },
    distinct: () => Math.min(steps, records),
  };
}

function countingDistinct(subject: Subject, { distinct }: Walk): Subject {
  return {
    ...subject,
    run: async (seconds) => ({ ...(await subject.run(seconds)), distinctKeys: distinct() }),
  };
}

/** How long one part of it takes. */
const PART_SECONDS = 5;

/** The same until every record has been read once: done in the first round, whose figures the others repeat. */
function toTheEnd(
  subject: Subject,
  { walk, records, tell }: { walk: Walk; records: number; tell: (text: string) => void },
): Subject {
  const readAll = async (): Promise<Figures> => {
    const parts: Figures[] = [];
    do {
      const part = await subject.run(PART_SECONDS);
      parts.push(part);
      tell(`${walk.distinct()} of ${records} records, RSS ${Math.round(part.rssMb ?? 0)} MB`);
    } while (walk.distinct() < records);
    const meanOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    return {
      rate: meanOf(parts.map(({ rate = 0 }) => rate)),
      rssMb: Math.max(...parts.map(({ rssMb = 0 }) => rssMb)),
      wrong: parts.reduce((sum, { wrong = 0 }) => sum + wrong, 0),
      distinctKeys: walk.distinct(),
    };
  };
  let all: Promise<Figures> | null = null;
  return {
    ...subject,
    run: () => {
      all ??= readAll();
      return all;
    },
  };
}
