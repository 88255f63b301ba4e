import { describe, expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { rehearseDefinition } from '../../src/commands/rehearse-definition.js';
import type { Definition } from '../../src/domain/collection.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { auditStore } from '../support/audit.js';
import { atOnce, codeOf } from '../support/barrier.js';
import { ann, createInstances } from '../support/context.js';
import { size } from '../support/size.js';

const rounds = size(25, 500);

async function start(): Promise<[Context, Context]> {
  const [one, two] = await createInstances(2);
  if (!one || !two) throw new Error('two instances are needed');
  for (const collection of ['brands', 'products'])
    await putCollection(one, { collection, definition: {}, precondition: {}, actor: ann });
  return [one, two];
}

const put = (context: Context, definition: Definition, collection = 'products') =>
  putCollection(context, { collection, definition, precondition: { ifMatch: { any: true } }, actor: ann });

/** Writes each of these records; null deletes. */
function commit(context: Context, collection: string, records: Record<string, JsonObject | null>) {
  const changes = Object.entries(records).map(([key, data]) =>
    data === null
      ? { collection, key, operation: 'delete' as const }
      : { collection, key, operation: 'put' as const, data },
  );
  return commitChanges(context, { changes, dryRun: false, actor: ann });
}

const settled = (outcome: PromiseSettledResult<unknown>) =>
  outcome.status === 'fulfilled' ? 'done' : codeOf(outcome.reason);

/**
 * Lets `earlier` be committed exactly between the snapshot on which a definition is judged and the lock under
 * which it comes into force: both wait for the head lock, which is given in the order of asking.
 */
async function putAfter(
  [one, two]: [Context, Context],
  earlier: () => Promise<unknown>,
  definition: Definition,
): Promise<string> {
  const client = await two.db.pool.connect();
  const waiting = async (count: number) => {
    for (;;) {
      const { rows } = await two.db.pool.query(
        `SELECT count(*)::int AS count FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FROM head FOR UPDATE%'`,
      );
      if (rows[0].count === count) return;
    }
  };
  try {
    await client.query('BEGIN');
    await client.query('SELECT FROM head FOR UPDATE');
    const committed = earlier();
    await waiting(1);
    const replaced = put(one, definition);
    await Promise.race([waiting(2), replaced]);
    await client.query('COMMIT');
    const [outcome] = await Promise.allSettled([replaced, committed]);
    await committed;
    return settled(outcome);
  } finally {
    client.release();
  }
}

const skus: Definition = { unique: [['/sku']] };
const brands: Definition = { references: [{ pointer: '/brand', collection: 'brands' }] };
const priced: Definition = { schema: { properties: { price: { type: 'number' } } } };

const numbers = Array.from({ length: 60 }, (_, at) => at);
const sums: Definition = {
  rules: [{ id: 'sums', assert: 'data.list.all(a, data.list.all(b, a + b < 1000))', message: 'm' }],
};

describe('what is committed after the snapshot and before the lock is judged', () => {
  test.each<[string, Definition, Record<string, JsonObject | null>, string]>([
    ['a record that breaks the schema', priced, { a: { price: 'high' } }, 'definition-conflict'],
    ['a new record that breaks the schema', priced, { new: { price: 'high' } }, 'definition-conflict'],
    ['a record that takes the value of another', skus, { a: { sku: 2 } }, 'definition-conflict'],
    ['two records that swap their values', skus, { a: { sku: 2 }, b: { sku: 1 } }, 'done'],
    ['a value given up by a deletion', skus, { a: null, c: { sku: 1 } }, 'done'],
    ['a reference that leads nowhere', brands, { a: { brand: 'none' } }, 'definition-conflict'],
    ['a record that no longer refers', brands, { a: {} }, 'done'],
  ])('%s', async (_, definition, records, outcome) => {
    const contexts = await start();
    await commit(contexts[0], 'brands', { x: {} });
    await commit(contexts[0], 'products', {
      a: { sku: 1, brand: 'x', price: 1 },
      b: { sku: 2, brand: 'x', price: 2 },
    });
    expect(await putAfter(contexts, () => commit(contexts[1], 'products', records), definition)).toBe(
      outcome,
    );
    expect(await auditStore(contexts[0].db)).toEqual([]);
  });

  test('the deletion of what records of the collection refer to, in another collection', async () => {
    const contexts = await start();
    await commit(contexts[0], 'brands', { x: {} });
    await commit(contexts[0], 'products', { a: { brand: 'x' } });
    const outcome = await putAfter(contexts, () => commit(contexts[1], 'brands', { x: null }), brands);
    expect(outcome).toBe('definition-conflict');
    expect(await auditStore(contexts[0].db)).toEqual([]);
  });

  test('another definition of the collection: it is judged anew against what that one keeps', async () => {
    const contexts = await start();
    await commit(contexts[0], 'products', { a: { sku: 1 }, b: { sku: 2 } });
    const both: Definition = { unique: [['/sku'], ['/name']] };
    expect(await putAfter(contexts, () => put(contexts[1], skus), both)).toBe('done');
    expect(await auditStore(contexts[0].db)).toEqual([]);
    await expect(commit(contexts[0], 'products', { c: { sku: 1 } })).rejects.toMatchObject({
      code: 'validation-failed',
    });
  });

  test('hundreds of records at once', async () => {
    const contexts = await start();
    await commit(contexts[0], 'products', { a: { sku: 'a' } });
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`n${at}`, { sku: at % 299 }]));
    const outcome = await putAfter(contexts, () => commit(contexts[1], 'products', many), skus);
    expect(outcome).toBe('definition-conflict');
  });
});

describe('a definition and commits at once, from two instances', () => {
  test('a unique rule and a record that would break it: one of them happens', async () => {
    const contexts = await start();
    for (let round = 0; round < rounds; round += 1) {
      await put(contexts[0], {});
      await commit(contexts[0], 'products', { a: { sku: round }, b: { sku: -1 } });
      const outcomes = await atOnce(
        2,
        (party): Promise<unknown> =>
          party === 0 ? put(contexts[0], skus) : commit(contexts[1], 'products', { b: { sku: round } }),
      );
      expect(outcomes.map(settled)).toSatisfy(([rule, record]) =>
        rule === 'done'
          ? record === 'validation-failed'
          : rule === 'definition-conflict' && record === 'done',
      );
    }
    expect(await auditStore(contexts[0].db)).toEqual([]);
  });

  test('a reference and the deletion of what it leads to: one of them happens', async () => {
    const contexts = await start();
    for (let round = 0; round < rounds; round += 1) {
      await put(contexts[0], {});
      await commit(contexts[0], 'brands', { x: {} });
      await commit(contexts[0], 'products', { a: { brand: 'x' } });
      const outcomes = await atOnce(
        2,
        (party): Promise<unknown> =>
          party === 0 ? put(contexts[0], brands) : commit(contexts[1], 'brands', { x: null }),
      );
      expect(outcomes.map(settled)).toSatisfy(([rule, deletion]) =>
        rule === 'done'
          ? deletion === 'validation-failed'
          : rule === 'definition-conflict' && deletion === 'done',
      );
    }
    expect(await auditStore(contexts[0].db)).toEqual([]);
  });

  test('two definitions that both say what they saw: one comes into force', async () => {
    const contexts = await start();
    await commit(contexts[0], 'products', { a: { sku: 1 } });
    for (let round = 0; round < rounds; round += 1) {
      const { tag } = await put(contexts[0], { title: `round ${round}` });
      const outcomes = await atOnce(2, (party) =>
        putCollection(contexts[party === 0 ? 0 : 1], {
          collection: 'products',
          definition: { title: `round ${round}`, description: `party ${party}` },
          precondition: { ifMatch: { any: false, tags: [tag] } },
          actor: ann,
        }),
      );
      expect(outcomes.map(settled).sort()).toEqual(['done', 'precondition-failed']);
    }
    expect(await auditStore(contexts[0].db)).toEqual([]);
  });

  test.each([
    ['a rule that is judged in an instant', [], size(3, 50)],
    ['a rule that takes so long that many commits come in between', numbers, size(1, 20)],
  ])('a definition beside commits that never end comes into force, and holds: %s', async (_, list, count) => {
    const [one, two] = await start();
    const skuOf = Array.from({ length: 400 }, (_, at) => at);
    const records = (from: number, to: number) =>
      Object.fromEntries(skuOf.slice(from, to).map((sku, at) => [`r${from + at}`, { sku, list }]));
    await commit(one, 'products', records(0, 400));
    let done = false;
    const writing = (async () => {
      // Each commit hands values on among 150 records, each time among others.
      for (let from = 0; !done; from = (from + 125) % 250) {
        skuOf.splice(from, 150, ...skuOf.slice(from + 1, from + 150), ...skuOf.slice(from, from + 1));
        await commit(two, 'products', records(from, from + 150));
      }
    })();
    try {
      for (let round = 0; round < count; round += 1) {
        await put(one, {});
        await put(one, { ...skus, ...sums });
      }
    } finally {
      done = true;
      await writing;
    }
    expect(await auditStore(one.db)).toEqual([]);
  });

  test('negative control: a definition that was only judged, and a record after that, pass both', async () => {
    const [one, two] = await start();
    await commit(one, 'products', { a: { sku: 1 } });
    const { live } = await rehearseDefinition(one, { collection: 'products', definition: skus, actor: ann });
    await commit(two, 'products', { b: { sku: 1 } });
    expect(live.failing).toBe(0);
    const after = await rehearseDefinition(one, { collection: 'products', definition: skus, actor: ann });
    expect(after.live).toMatchObject({ checked: 2, failing: 1, sample: [{ key: 'b' }] });
  });
});
