import { setTimeout as pause } from 'node:timers/promises';
import type { Request } from 'autocannon';
import type { Cycles } from '../load/load.js';
import { call, dataOf, KEYS, keyOf, seed } from '../records.js';
import type { Prepared, Scenario, Subject } from '../scenario.js';
import type { Measured } from '../world.js';
import { startHomeMade } from './filtered-lists.js';
import { bareRecords, CLIENTS, readsOf } from './hot-reads.js';
import { ofReference, ofService } from './subjects.js';

export const COLLECTION = 'staged';
/** Of one cycle. */
export const CALLS = 3;
const SUCCESS = 200;
/** Staging makes something new. */
export const STATUSES = [SUCCESS, 201];
/** What the last round left in flight has been answered by then. */
const SETTLE_MS = 200;

/** What one client keeps from one step to the next. */
interface Cycle {
  key?: string;
  startedAt?: number;
  receipt?: string;
}

export const cycles: Scenario = {
  id: 'cycles',
  title: 'Cycles of stage, validate and commit, as three calls',
  shows: 'rate',
  prepare: async (world): Promise<Prepared> => {
    const service = await world.products();
    await seed(service.url, COLLECTION);
    const bare = await bareRecords(world);
    const homeMade = await startHomeMade(world, 'cycles');
    return {
      subjects: [
        ...[1, 16, CLIENTS].map((connections) => ofServiceCycles(service, connections)),
        ofReference('bare', `bare route at ${CLIENTS}, reads`, bare, {
          url: bare.url,
          connections: CLIENTS,
          requests: { ...readsOf(bare.url), isRight: () => true },
        }),
        ofReference(
          'draft-and-live',
          `draft and live column, two calls, at ${CLIENTS}`,
          { pid: homeMade.pid, postmaster: world.postmaster },
          { url: homeMade.url, connections: CLIENTS, requests: draftCycles() },
        ),
      ],
      aims: [
        {
          subject: `service-${CLIENTS}`,
          reference: 'bare',
          metric: 'rate',
          bound: { atLeast: 0.06 },
          hope: 0.1,
        },
        { subject: 'draft-and-live', reference: 'bare', metric: 'rate' },
        { subject: `service-${CLIENTS}`, metric: 'loopDelayP99Ms', bound: { atMost: 50 } },
      ],
      notes: ['Latency and CPU are told per cycle.'],
    };
  },
};

function ofServiceCycles(service: Measured, connections: number): Subject {
  const named = { id: `service-${connections}`, name: `service at ${connections}` };
  const subject = ofService(service, named, { connections, statuses: STATUSES, requests: serviceCycles() });
  return {
    ...subject,
    run: async (seconds) => {
      await discardLeftovers(service.url);
      return subject.run(seconds);
    },
  };
}

/** A round ends in the middle of cycles; what they staged would be in the way of the next one. */
export async function discardLeftovers(url: string): Promise<void> {
  await pause(SETTLE_MS);
  const { items }: { items: { key: string }[] } = await call(
    url,
    'GET',
    `/v1/pending?collection=${COLLECTION}&limit=1000`,
  );
  for (const { key } of items) {
    const path = `/v1/collections/${COLLECTION}/records/${key}/pending`;
    const { status } = await fetch(url + path, { method: 'DELETE', headers: { 'If-Match': '*' } });
    if (status !== 204) {
      throw new Error(`DELETE ${path} gave ${status}`);
    }
  }
}

let edits = 0;

/** Keys in turn, so that no two clients ever work on one. */
function begin(cycle: Cycle): string {
  edits += 1;
  cycle.key = keyOf(edits % KEYS);
  cycle.startedAt = performance.now();
  return cycle.key;
}

const json = { 'Content-Type': 'application/json' };
const pendingOf = ({ key }: Cycle) => `/v1/collections/${COLLECTION}/records/${key}/pending`;

export function serviceCycles(): Cycles {
  return {
    type: 'cycles',
    steps: (done): Request[] => [
      {
        method: 'PUT',
        headers: json,
        setupRequest: (request, cycle: Cycle) => {
          const body = JSON.stringify({ data: dataOf(begin(cycle), edits) });
          return { ...request, path: pendingOf(cycle), body };
        },
      },
      {
        method: 'POST',
        setupRequest: (request, cycle: Cycle) => ({ ...request, path: `${pendingOf(cycle)}/validate` }),
        onResponse: (status, body, cycle: Cycle) => {
          if (status === SUCCESS) {
            cycle.receipt = (JSON.parse(body) as { receipt: string }).receipt;
          }
        },
      },
      {
        method: 'POST',
        headers: json,
        setupRequest: (request, cycle: Cycle) => ({
          ...request,
          path: `${pendingOf(cycle)}/commit`,
          body: JSON.stringify({ receipt: cycle.receipt }),
        }),
        onResponse: (status, _body, cycle: Cycle) => finish(status, cycle, done),
      },
    ],
  };
}

function draftCycles(): Cycles {
  return {
    type: 'cycles',
    steps: (done): Request[] => [
      {
        method: 'PUT',
        headers: json,
        setupRequest: (request, cycle: Cycle) => {
          const key = begin(cycle);
          return {
            ...request,
            path: `/items/${key}/draft`,
            body: JSON.stringify({ data: dataOf(key, edits) }),
          };
        },
      },
      {
        method: 'POST',
        setupRequest: (request, cycle: Cycle) => ({ ...request, path: `/items/${cycle.key}/publish` }),
        onResponse: (status, _body, cycle: Cycle) => finish(status, cycle, done),
      },
    ],
  };
}

function finish(status: number, { startedAt }: Cycle, done: (startedAt: number) => void): void {
  if (status === SUCCESS && startedAt !== undefined) {
    done(startedAt);
  }
}
