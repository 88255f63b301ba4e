import type { Figures } from '../figures.js';
import { applyLoad, type Load } from '../load/load.js';
import { measure } from '../load/measure.js';
import { memoryOf } from '../load/processes.js';
import { call, seed, withClient } from '../records.js';
import type { Prepared, Scenario } from '../scenario.js';
import { emptyLog, type Measured } from '../world.js';
import { anyKey, commitsOf } from './commits.js';
import * as cycles from './cycles.js';
import { feedLoad } from './feed.js';
import { readsOf } from './hot-reads.js';
import { listsOf } from './lists.js';

const COLLECTION = 'soaked';
const CLIENTS = 8;
/** Of what each kind of request reaches alone, so that all of them together are half of what is possible. */
const PART = 0.5;
const CALIBRATION_SECONDS = 2;
const LOOK_MS = 10_000;
const MS_PER_MINUTE = 60_000;
/** While caches fill and code is compiled memory grows, as it should. */
const SETTLED_FROM = 0.4;

interface Look {
  atMs: number;
  rssMb: number;
}

export const soak: Scenario = {
  id: 'soak',
  title: 'Everything at once, at half of what is possible',
  shows: 'rssMb',
  once: true,
  prepare: async (world, tell): Promise<Prepared> => {
    const service = await world.products();
    await seed(service.url, COLLECTION);
    await seed(service.url, cycles.COLLECTION);
    const loads = await loadsOf(service);
    return {
      subjects: [
        {
          id: 'service',
          name: 'service',
          target: service.target,
          run: async (seconds) => {
            const rates = await calibrate(loads, tell);
            return await endure(service, paced(loads, rates), { seconds, tell });
          },
        },
      ],
      aims: [
        { subject: 'service', metric: 'rssMb', bound: { atMost: 300 } },
        { subject: 'service', metric: 'rssMbPerMinute', bound: { atMost: 1 } },
        { subject: 'service', metric: 'loopDelayP99Ms', bound: { atMost: 50 } },
      ],
      notes: ['The growth is that of the last part of the run: --seconds 600 for ten minutes.'],
    };
  },
};

type NamedLoad = Load & { name: string };

async function loadsOf({ url }: Measured): Promise<NamedLoad[]> {
  const { revision } = await call<{ revision: number }>(url, 'GET', '/v1/commits?limit=1');
  const load = { url, connections: CLIENTS };
  return [
    { ...load, name: 'reads', requests: readsOf(url) },
    { ...load, name: 'lists', requests: await listsOf(url) },
    { ...load, name: 'feed', requests: feedLoad(url, revision) },
    { ...load, name: 'commits', requests: commitsOf(url, COLLECTION, anyKey) },
    { ...load, name: 'cycles', statuses: cycles.STATUSES, requests: cycles.serviceCycles() },
  ];
}

/** How many each kind reaches a second when it has the service to itself. */
async function calibrate(loads: NamedLoad[], tell: (text: string) => void): Promise<number[]> {
  const rates: number[] = [];
  for (const load of loads) {
    const { rate = 0 } = await applyLoad(load, CALIBRATION_SECONDS);
    tell(`${load.name} alone: ${Math.round(rate)} a second`);
    rates.push(rate);
  }
  return rates;
}

/** Three requests are a cycle. */
const requestsOf = ({ requests }: Load) => (requests.type === 'cycles' ? cycles.CALLS : 1);

const paced = (loads: NamedLoad[], rates: number[]): NamedLoad[] =>
  loads.map((load, index) => ({
    ...load,
    perSecond: Math.max(1, Math.round(((rates[index] ?? 0) * requestsOf(load) * PART) / loads.length)),
  }));

async function endure(
  service: Measured,
  loads: NamedLoad[],
  { seconds, tell }: { seconds: number; tell: (text: string) => void },
): Promise<Figures> {
  const looks: Look[] = [];
  const startedAt = performance.now();
  const look = async () => {
    const atMs = performance.now() - startedAt;
    const rssMb = memoryOf(service.target.pid ?? 0) ?? 0;
    looks.push({ atMs, rssMb });
    tell(`${Math.round(atMs / 1_000)} s: RSS ${rssMb.toFixed(0)} MB, ${await databaseText(service)}`);
    await emptyLog(service);
  };
  const looking = setInterval(() => void look().catch(() => {}), LOOK_MS);
  try {
    return await measure(service.target, async () => {
      await discardAll(service);
      const figures = await Promise.all(loads.map((load) => applyLoad(load, seconds)));
      await look();
      return {
        rate: figures.reduce((sum, { rate = 0 }) => sum + rate, 0),
        wrong: figures.reduce((sum, { wrong = 0 }) => sum + wrong, 0),
        rssMbPerMinute: slopeOf(looks.filter(({ atMs }) => atMs >= SETTLED_FROM * seconds * 1_000)),
      };
    });
  } finally {
    clearInterval(looking);
  }
}

/** What calibration has left in the middle of a cycle would be in the way. */
const discardAll = ({ url }: Measured) => cycles.discardLeftovers(url);

/** Connections of the service, how many of them are at work, and what waits for vacuum. */
async function databaseText({ databaseUrl }: Measured): Promise<string> {
  return withClient(databaseUrl, async (client) => {
    const { rows } = await client.query<{ connections: number; busy: number; dead: number; live: number }>(
      `SELECT (SELECT count(*)::integer FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'diptych') AS connections,
              (SELECT count(*)::integer FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'diptych' AND state <> 'idle') AS busy,
              sum(n_dead_tup)::float8 AS dead, sum(n_live_tup)::float8 AS live
       FROM pg_stat_user_tables`,
    );
    const { connections = 0, busy = 0, dead = 0, live = 0 } = rows[0] ?? {};
    return `${connections} connections (${busy} busy), ${dead} dead rows beside ${live}`;
  });
}

/** The line that lies nearest to all looks, in MB a minute. */
function slopeOf(looks: Look[]): number {
  const meanOf = (values: number[]) =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  const [time, memory] = [meanOf(looks.map(({ atMs }) => atMs)), meanOf(looks.map(({ rssMb }) => rssMb))];
  const spread = looks.reduce((sum, { atMs }) => sum + (atMs - time) ** 2, 0);
  const together = looks.reduce((sum, { atMs, rssMb }) => sum + (atMs - time) * (rssMb - memory), 0);
  return spread === 0 ? 0 : (together / spread) * MS_PER_MINUTE;
}
