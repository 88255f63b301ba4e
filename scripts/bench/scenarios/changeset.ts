import type { Figures } from '../figures.js';
import { measure } from '../load/measure.js';
import { call } from '../records.js';
import type { Prepared, Scenario } from '../scenario.js';
import { emptyLog, type Measured } from '../world.js';

const COLLECTION = 'items';
const SIDE = 'side';
const ENTRIES = 16;

const definition = {
  schema: {
    type: 'object',
    required: ['name', 'entries'],
    properties: {
      name: { type: 'string' },
      entries: { type: 'array', items: { type: 'object', properties: { n: { type: 'number' } } } },
    },
  },
  rules: [{ id: 'named', assert: 'size(data.name) > 0', message: 'Needs a name.' }],
};

export const changeset: Scenario = {
  id: 'changeset',
  title: 'A large changeset: staged, judged, committed, reverted, and what small commits beside it feel',
  shows: 'commitMs',
  prepare: async (world): Promise<Prepared> => {
    const service = await world.products();
    const { members } = world.sizes;
    await call(service.url, 'PUT', `/v1/collections/${COLLECTION}`, definition);
    await call(service.url, 'PUT', `/v1/collections/${SIDE}`, {});
    let turn = 0;
    const run = async () => {
      turn += 1;
      await emptyLog(service);
      return measure(service.target, () => oneChangeset(service, members, turn));
    };
    return {
      subjects: [{ id: 'service', name: 'service', target: service.target, run }],
      aims: [
        { subject: 'service', metric: 'commitMs', bound: { atMost: 1_500 } },
        { subject: 'service', metric: 'commitWaitMs', bound: { atMost: 500 } },
      ],
      notes: [
        `${members.toLocaleString('en')} members of about 1 kB, with a schema and a rule. One client makes small commits ` +
          'beside the commit and the revert; of these the longest counts.',
      ],
    };
  },
};

async function oneChangeset({ url }: Measured, members: number, turn: number): Promise<Figures> {
  const { id }: { id: string } = await call(url, 'POST', '/v1/changesets', { title: `Round ${turn}` });
  const path = `/v1/changesets/${id}`;
  const lines = Array.from({ length: members }, (_, index) => JSON.stringify(lineOf(index, turn))).join('\n');
  const staged = await timed(() => call<{ staged: number }>(url, 'POST', `${path}/stage`, lines));
  const validated = await timed(() => call<{ receipt: string }>(url, 'POST', `${path}/validate`));
  const { receipt } = validated.answer;
  const committed = await besideCommits(url, () =>
    call<{ revision: number; changeCount: number }>(url, 'POST', `${path}/commit`, { receipt }),
  );
  const { revision, changeCount } = committed.answer;
  const reverted = await besideCommits(url, () => call(url, 'POST', `/v1/commits/${revision}/revert`));
  return {
    stageMs: staged.ms,
    validateMs: validated.ms,
    commitMs: committed.ms,
    commitWaitMs: committed.longestWaitMs,
    revertMs: reverted.ms,
    revertWaitMs: reverted.longestWaitMs,
    wrong: staged.answer.staged === members && changeCount === members ? 0 : 1,
  };
}

function lineOf(index: number, turn: number) {
  const entries = Array.from({ length: ENTRIES }, (_, n) => ({
    n,
    text: `entry ${n} of ${index}, with some more text`,
  }));
  const data = { name: `Item ${index} as of ${turn}`, entries };
  return { collection: COLLECTION, key: `item-${String(index).padStart(7, '0')}`, operation: 'put', data };
}

async function timed<T>(work: () => Promise<T>): Promise<{ answer: T; ms: number }> {
  const startedAt = performance.now();
  const answer = await work();
  return { answer, ms: performance.now() - startedAt };
}

/** Does `work` while one client makes small commits, one after the other; tells the longest that any took. */
async function besideCommits<T>(url: string, work: () => Promise<T>) {
  let isDone = false;
  let longestWaitMs = 0;
  const client = (async () => {
    for (let n = 0; !isDone; n += 1) {
      const changes = [{ collection: SIDE, key: 'k', operation: 'put', data: { n, at: Date.now() } }];
      const { ms } = await timed(() => call(url, 'POST', '/v1/commits', { changes }));
      longestWaitMs = Math.max(longestWaitMs, ms);
    }
  })();
  const done = await timed(work).finally(() => {
    isDone = true;
  });
  await client;
  return { ...done, longestWaitMs };
}
