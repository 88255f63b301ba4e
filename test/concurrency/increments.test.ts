import { describe, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { getRecord } from '../../src/queries/get-record.js';
import { atOnce, codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { size } from '../support/size.js';

const at = { collection: 'counters', key: 'visits' };
const writers = 8;
const increments = size(160, 2_000);

async function start(): Promise<Context[]> {
  const instances = await createInstances(2);
  const [first] = instances;
  if (!first) throw new Error('no instance');
  await putCollection(first, { collection: at.collection, definition: {}, precondition: {}, actor: ann });
  await commitChanges(first, {
    changes: [{ ...at, operation: 'put', data: { count: 0 } }],
    dryRun: false,
    actor: ann,
  });
  return instances;
}

/** Reads, adds one, writes; again from the start when refused. Answers how often it was refused. */
async function increment(context: Context, careful: boolean): Promise<number> {
  for (let refused = 0; ; refused += 1) {
    const { record } = await getRecord(context, { ...at, at: { type: 'head' } });
    const data = { count: Number(record.data.count) + 1 };
    const change = {
      ...at,
      operation: 'put' as const,
      data,
      ...(careful ? { ifVersion: record.version } : {}),
    };
    try {
      await commitChanges(context, { changes: [change], dryRun: false, actor: ann });
      return refused;
    } catch (error) {
      expect(codeOf(error)).toBe('version-conflict');
    }
  }
}

async function incrementAll(careful: boolean): Promise<{ count: number; refused: number }> {
  const instances = await start();
  const perWriter = increments / writers;
  const outcomes = await atOnce(writers, async (writer) => {
    const context = instances[writer % instances.length];
    if (!context) throw new Error('no instance');
    let refused = 0;
    for (let done = 0; done < perWriter; done += 1) refused += await increment(context, careful);
    return refused;
  });
  const refused = outcomes.reduce((sum, outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return sum + outcome.value;
  }, 0);
  const [first] = instances;
  if (!first) throw new Error('no instance');
  const { record } = await getRecord(first, { ...at, at: { type: 'head' } });
  return { count: Number(record.data.count), refused };
}

describe('8 writers on two instances, each reading and adding one', () => {
  test('lose no increment through ifVersion', async () => {
    const { count, refused } = await incrementAll(true);
    expect(count).toBe(increments);
    // Without contention this would prove nothing.
    expect(refused).toBeGreaterThan(0);
  });

  test('negative control: without ifVersion increments are lost', async () => {
    expect((await incrementAll(false)).count).toBeLessThan(increments);
  });
});
