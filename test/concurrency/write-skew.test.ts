import { describe, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { commitPending } from '../../src/commands/commit-pending.js';
import type { Context } from '../../src/commands/context.js';
import { discardPending } from '../../src/commands/discard-pending.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { validatePending } from '../../src/commands/validate-pending.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { auditStore } from '../support/audit.js';
import { atOnce, codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { size } from '../support/size.js';

const rounds = size(25, 500);

async function start(): Promise<[Context, Context]> {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  await putCollection(one, { collection: 'brands', definition: {}, precondition: {}, actor: ann });
  await putCollection(one, {
    collection: 'products',
    definition: { unique: [['/sku']], references: [{ pointer: '/brand', collection: 'brands' }] },
    precondition: {},
    actor: ann,
  });
  return [one, two];
}

interface Candidate {
  collection: string;
  key: string;
  staged: { operation: 'upsert'; data: JsonObject } | { operation: 'delete' };
}

/** Stages and validates both, which is fine for each by itself, and then commits both at once. */
async function commitBoth(
  contexts: [Context, Context],
  candidates: [Candidate, Candidate],
): Promise<string[]> {
  const receipts: string[] = [];
  for (const { collection, key, staged } of candidates) {
    const at = { collection, key, changeset: null };
    await stagePending(contexts[0], { ...at, staged, precondition: {}, actor: ann });
    const { report } = await validatePending(contexts[0], at);
    expect(report).toMatchObject({ valid: true, errors: [] });
    receipts.push(report.receipt ?? '');
  }
  const outcomes = await atOnce(2, (party) => {
    const { collection, key } = candidates[party === 0 ? 0 : 1];
    const context = contexts[party === 0 ? 0 : 1];
    return commitPending(context, {
      collection,
      key,
      changeset: null,
      precondition: {},
      receipt: receipts[party],
      actor: ann,
    });
  });
  for (const [party, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') continue;
    const { collection, key } = candidates[party === 0 ? 0 : 1];
    await discardPending(contexts[0], {
      collection,
      key,
      changeset: null,
      precondition: { ifMatch: { any: true } },
    });
  }
  return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'committed' : codeOf(outcome.reason)));
}

describe('what was valid when validated, committed at once', () => {
  test('two records that want one unique value: one gets it', async () => {
    const contexts = await start();
    await commitChanges(contexts[0], {
      changes: [{ collection: 'brands', key: 'b', operation: 'put', data: {} }],
      dryRun: false,
      actor: ann,
    });
    for (let round = 0; round < rounds; round += 1) {
      const want = (key: string): Candidate => ({
        collection: 'products',
        key: `${key}${round}`,
        staged: { operation: 'upsert', data: { sku: `sku-${round}`, brand: 'b' } },
      });
      expect((await commitBoth(contexts, [want('x'), want('y')])).sort()).toEqual([
        'committed',
        'receipt-stale',
      ]);
    }
    expect(await auditStore(contexts[0].db)).toEqual([]);
  });

  test('a reference and the deletion of what it refers to: one of them happens', async () => {
    const contexts = await start();
    for (let round = 0; round < rounds; round += 1) {
      const brand = `brand-${round}`;
      await commitChanges(contexts[0], {
        changes: [{ collection: 'brands', key: brand, operation: 'put', data: {} }],
        dryRun: false,
        actor: ann,
      });
      const outcomes = await commitBoth(contexts, [
        {
          collection: 'products',
          key: `p${round}`,
          staged: { operation: 'upsert', data: { sku: round, brand } },
        },
        { collection: 'brands', key: brand, staged: { operation: 'delete' } },
      ]);
      expect(outcomes.sort()).toEqual(['committed', 'receipt-stale']);
    }
    expect(await auditStore(contexts[0].db)).toEqual([]);
  });

  test('negative control: judged without the head lock, both pass', async () => {
    const [context] = await createInstances(1, { poolSize: 3 });
    if (!context) throw new Error('no instance');
    const { pool } = context.db;
    await pool.query('CREATE TABLE naive (owner text, sku text)');
    const buy = async (owner: string, judged: Promise<unknown>, tell: () => void) => {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        const { rows } = await client.query('SELECT FROM naive WHERE sku = $1', ['one']);
        tell();
        await judged;
        if (rows.length === 0) await client.query('INSERT INTO naive VALUES ($1, $2)', [owner, 'one']);
        await client.query('COMMIT');
      } finally {
        client.release();
      }
    };
    const [first, second] = [resolvers(), resolvers()];
    await Promise.all([buy('a', second.promise, first.resolve), buy('b', first.promise, second.resolve)]);
    expect((await pool.query('SELECT FROM naive')).rowCount).toBe(2);
  });
});

function resolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
