import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { rehearseDefinition } from '../../src/commands/rehearse-definition.js';
import type { Definition } from '../../src/domain/collection.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { auditStore } from '../support/audit.js';
import { ann, createInstance } from '../support/context.js';
import { size } from '../support/size.js';

test('whatever rules follow each other, the store keeps the values and references of those in force', async () => {
  const context = await createInstance();
  const put = (collection: string, definition: Definition) =>
    putCollection(context, { collection, definition, precondition: { ifMatch: { any: true } }, actor: ann });
  const record = (collection: string, key: string, data: JsonObject) => ({
    collection,
    key,
    operation: 'put' as const,
    data,
  });
  for (const collection of ['x', 'y', 'c'])
    await putCollection(context, { collection, definition: {}, precondition: {}, actor: ann });
  const changes = [
    // One pointer may refer to two collections.
    ...['x', 'y'].flatMap((name) => ['k', 'l'].map((key) => record(name, key, {}))),
    record('c', 'one', { sku: 1, name: 'a', to: ['k', 'l'], self: 'two' }),
    record('c', 'two', { sku: 2, name: 'b', to: 'k', self: 'two' }),
  ];
  await commitChanges(context, { changes, dryRun: false, actor: ann });
  const definitions = fc.record({
    title: fc.string({ maxLength: 3 }),
    unique: fc.subarray([['/sku'], ['/name'], ['/name', '/sku']]),
    references: fc.subarray([
      { pointer: '/to', collection: 'x' },
      { pointer: '/to', collection: 'y' },
      { pointer: '/self', collection: 'c' },
    ]),
  });
  await fc.assert(
    fc.asyncProperty(definitions, async (definition) => {
      await put('c', definition);
      expect(await auditStore(context.db)).toEqual([]);
    }),
    { numRuns: size(15, 200) },
  );
});

test('records of a megabyte each are all judged, batch by batch', async () => {
  const context = await createInstance();
  await putCollection(context, { collection: 'c', definition: {}, precondition: {}, actor: ann });
  for (let at = 0; at < 11; at += 1) {
    const data = { text: 'x'.repeat(1_000_000), at };
    const changes = [{ collection: 'c', key: `k${at}`, operation: 'put' as const, data }];
    await commitChanges(context, { changes, dryRun: false, actor: ann });
  }
  const definition = { schema: { properties: { at: { maximum: 6 } } } };
  const { live } = await rehearseDefinition(context, { collection: 'c', definition, actor: ann });
  expect(live).toMatchObject({ checked: 11, failing: 4 });
  expect(live.sample.map(({ key }) => key)).toEqual(['k10', 'k7', 'k8', 'k9']);
});
