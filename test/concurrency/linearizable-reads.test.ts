import { describe, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context, ContextOptions } from '../../src/commands/context.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { getRecord } from '../../src/queries/get-record.js';
import { listRecords } from '../../src/queries/list-records.js';
import type { Waiter } from '../../src/store/fence.js';
import type { ServedRead } from '../../src/store/reads.js';
import { atOnce, codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { History, type Value } from '../support/history.js';
import { withLateAnswers } from '../support/late-answers.js';
import { type Random, randomFrom } from '../support/random.js';
import { size } from '../support/size.js';

const collections = ['left', 'right'];
const keys = ['a', 'b', 'c', 'd', 'e'];
const names = collections.flatMap((collection) => keys.map((key) => `${collection}/${key}`));
const writersEach = 2;
const readersEach = 4;
/** On all instances together; the readers go on until they are done. */
const commits = size(100, 10_000);
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

interface Run {
  history: History;
  served: ServedRead[];
}

interface Plan {
  instances: number;
  cacheMaxBytes: number;
  /** A planted bug: a commit counts as acknowledged when it is sent. */
  acknowledgesEarly?: boolean;
  /** A planted bug: reads are answered from the cache as it is. */
  isFenceless?: boolean;
}

const splitName = (name: string): { collection: string; key: string } => {
  const [collection = '', key = ''] = name.split('/');
  return { collection, key };
};

/** Writes, deletes, reads, lists and reads of the past, many at once on each instance. */
async function run(plan: Plan, start: number): Promise<Run> {
  const served: ServedRead[] = [];
  const random = randomFrom(start);
  const options: Partial<ContextOptions> = {
    cacheMaxBytes: plan.cacheMaxBytes,
    onServed: (read) => served.push(read),
  };
  const created = await createInstances(plan.instances, {
    ...options,
    wrap: (db) => withLateAnswers(db, random),
  });
  const [first] = created;
  if (!first) throw new Error('no instance');
  for (const collection of collections) {
    await putCollection(first, { collection, definition: {}, precondition: {}, actor: ann });
  }
  const contexts = plan.isFenceless ? created.map(withoutFence) : created;
  const history = new History();
  const writers = writersEach * plan.instances;
  const clients = writers + readersEach * plan.instances;
  let writing = writers;
  const outcomes = await atOnce(clients, async (client) => {
    const context = contexts[client % contexts.length];
    if (!context) throw new Error('no instance');
    if (client >= writers) {
      while (writing > 0) await read(context, history, random);
      return;
    }
    try {
      for (let step = 0; step < commits / writers; step += 1) {
        await write(context, history, random, plan, `${client}.${step}`);
      }
    } finally {
      writing -= 1;
    }
  });
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return { history, served };
}

/** One or more records of either collection in one commit. */
async function write(
  context: Context,
  history: History,
  random: Random,
  { acknowledgesEarly }: Plan,
  value: string,
): Promise<void> {
  const isDeletion = random.chance(0.2);
  const count = isDeletion ? 1 : 1 + random.below(3);
  const chosen = [...new Set(Array.from({ length: count }, () => random.pick(names)))];
  const writes = new Map<string, Value>(chosen.map((name) => [name, isDeletion ? null : `${value} ${name}`]));
  const changes = [...writes].map(([name, data]) =>
    data === null
      ? { ...splitName(name), operation: 'delete' as const }
      : { ...splitName(name), operation: 'put' as const, data: { value: data } },
  );
  const { acknowledge, note } = history.beginCommit(writes);
  const committing = commitChanges(context, { changes, dryRun: false, actor: ann });
  // What this revision will be nobody knows; that it is above all that were seen is certain.
  if (acknowledgesEarly) acknowledge(history.floor + 1);
  const result = await committing.then(({ result }) => result, refusal);
  // What is not there cannot be deleted.
  if (result === null) return;
  note(result.revision);
  acknowledge(result.revision);
}

function refusal(reason: unknown): null {
  codeOf(reason);
  return null;
}

const shownIn = (data: Record<string, unknown>): Value => String(data.value);

async function read(context: Context, history: History, random: Random): Promise<void> {
  const name = random.pick(names);
  const { collection, key } = splitName(name);
  const { end, endAbsent } = history.beginRead();
  if (random.chance(0.25)) {
    const query = { collection, filters: [], sort: [], limit: 100, at: { type: 'head' as const } };
    const { page, revision } = await listRecords(context, query);
    const shown = new Map<string, Value>(keys.map((each) => [`${collection}/${each}`, null]));
    for (const item of page.items) shown.set(`${collection}/${item.key}`, shownIn(item.data));
    end(revision, shown);
    return;
  }
  const past = random.chance(0.2) ? random.below(history.floor + 1) : null;
  const at = past === null ? { type: 'head' as const } : { type: 'revision' as const, revision: past };
  const found = await getRecord(context, { collection, key, at }).catch(refusal);
  if (found === null) {
    if (past === null) endAbsent(name);
    return;
  }
  end(found.revision, new Map([[name, shownIn(found.record.data)]]), { isPast: past !== null });
}

/** The same instance with a fence that lets everybody through. */
function withoutFence(context: Context): Context {
  const { reads } = context;
  const uncovered = () => ({ head: reads.cache.revision, sentAt: reads.clock.now, collections: new Map() });
  const cover = async () => uncovered();
  const whenCovered = (waiter: Waiter) => queueMicrotask(() => waiter.covered(uncovered()));
  return { ...context, reads: { ...reads, fence: { cover, whenCovered } } };
}

/** Reads whose fence was sent too early, or that show less than it saw. */
const uncovered = (served: ServedRead[]) =>
  served.filter(
    ({ arrivedAt, sentAt, head, revision, isPast }) => sentAt <= arrivedAt || (!isPast && revision < head),
  );

const tiny = 6_000;
const plenty = 1_000_000;

describe(`random histories (SEED=${seed})`, () => {
  test.each<Plan>([
    { instances: 1, cacheMaxBytes: plenty },
    { instances: 2, cacheMaxBytes: plenty },
    { instances: 2, cacheMaxBytes: tiny },
    { instances: 2, cacheMaxBytes: 0 },
    { instances: 4, cacheMaxBytes: plenty },
  ])('reads on $instances instances with a cache of $cacheMaxBytes bytes are linearizable', async (plan) => {
    const { history, served } = await run(plan, seed);
    expect(history.violations()).toEqual([]);
    expect(uncovered(served)).toEqual([]);
    // Without reads of all sorts this would prove nothing.
    expect(history.readCount).toBeGreaterThan(commits);
    expect(served.length).toBeGreaterThan(commits);
  });

  test('negative control: reads that pass no fence are caught, by what they show and by the hook', async () => {
    const { history, served } = await run({ instances: 2, cacheMaxBytes: plenty, isFenceless: true }, seed);
    expect(history.violations()).not.toEqual([]);
    expect(uncovered(served)).not.toEqual([]);
  });

  test('negative control: commits that are acknowledged before they are made are caught', async () => {
    const plan = { instances: 2, cacheMaxBytes: plenty, acknowledgesEarly: true };
    expect((await run(plan, seed)).history.violations()).not.toEqual([]);
  });
});
