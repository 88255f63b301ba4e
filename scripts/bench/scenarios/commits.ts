import { wire } from '../load/load.js';
import { bodyOfCommit, dataOf, KEYS, keyOf, seed } from '../records.js';
import * as etcds from '../references/etcd.js';
import { type Prepared, present, type Scenario, type Subject } from '../scenario.js';
import type { Measured, World } from '../world.js';
import { startHomeMade } from './filtered-lists.js';
import { NOT_INSTALLED, ofReference, ofService } from './subjects.js';

const COLLECTION = 'written';
const CLIENTS = [1, 16, 64, 256];
const LOOP_DELAY_MS = 50;

export const anyKey = () => keyOf(Math.floor(Math.random() * KEYS));

/** One-call commits of one record each. */
export const commitsOf = (url: string, collection: string, key: () => string) => ({
  type: 'single' as const,
  next: () => wire('POST', url, '/v1/commits', { body: bodyOfCommit(collection, key()) }),
  isRight: isCommitted,
});

/** Whether something became a revision of its own. */
function isCommitted(body: string): boolean {
  const { revision, unchanged = false } = JSON.parse(body) as {
    revision: number | string;
    unchanged?: boolean;
  };
  return Number(revision) > 0 && !unchanged;
}

export const serviceCommits = (service: Measured, collection: string, connections: number, key = anyKey) =>
  ofService(
    service,
    { id: `service-${connections}`, name: `service at ${connections}` },
    { connections, requests: commitsOf(service.url, collection, key) },
  );

/** One transaction for each commit, in tables of its own. */
export async function oneTransactionEach(
  world: World,
  name: string,
  connections: number,
  key = anyKey,
): Promise<Subject> {
  const { url, pid } = await startHomeMade(world, name);
  return ofReference(
    `transaction-${connections}`,
    `one transaction each at ${connections}`,
    { pid, postmaster: world.postmaster },
    { url, connections, requests: commitsOf(url, COLLECTION, key) },
  );
}

export const commits: Scenario = {
  id: 'commits',
  title: 'Durable commits of one record in one call',
  shows: 'rate',
  prepare: async (world): Promise<Prepared> => {
    const service = await world.products();
    await seed(service.url, COLLECTION);
    const [etcd, pgbench] = [await world.etcd(), await world.pgbench()];
    return {
      subjects: present([
        ...CLIENTS.map((connections) => serviceCommits(service, COLLECTION, connections)),
        await oneTransactionEach(world, 'commits', 64),
        ...(etcd === null ? [] : [1, 64, 256].map((connections) => putsOf(etcd, connections))),
        pgbench?.subject('write', 1),
        pgbench?.subject('write', 64),
      ]),
      aims: [
        { subject: 'service-64', reference: 'service-1', metric: 'rate', bound: { atLeast: 8 } },
        { subject: 'service-64', reference: 'transaction-64', metric: 'rate', bound: { atLeast: 10 } },
        { subject: 'service-64', reference: 'etcd-64', metric: 'rate', bound: { atLeast: 0.8 }, hope: 1 },
        { subject: 'service-256', reference: 'etcd-256', metric: 'rate', bound: { atLeast: 0.8 }, hope: 1 },
        { subject: 'service-256', metric: 'loopDelayP99Ms', bound: { atMost: LOOP_DELAY_MS } },
      ],
      notes: [...(etcd ? [] : [NOT_INSTALLED.etcd]), ...(pgbench ? [] : [NOT_INSTALLED.pgbench])],
    };
  },
};

function putsOf(etcd: etcds.Etcd, connections: number): Subject {
  let edits = 0;
  const value = (key: string) => {
    edits += 1;
    return JSON.stringify(dataOf(key, edits));
  };
  const next = () => {
    const key = anyKey();
    return etcds.putRequest(etcd.url, `written/${key}`, value(key));
  };
  return ofReference(`etcd-${connections}`, `etcd, puts at ${connections}`, etcd, {
    url: etcd.url,
    connections,
    requests: { type: 'single', next },
  });
}
