import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commitChangesBody, commitPendingBody, stageBody } from '../../src/http/schemas/bodies.js';
import { readQuickly } from '../../src/http/schemas/quickly.js';

/** An object of these members, of which some may be missing or be something else, and some others be there. */
function nearly(members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> {
  const other = fc.constantFrom<unknown>(null, {}, [], 0, -1, 1.5, '', true, undefined);
  const loose = Object.entries(members).map(([name, right]) => [
    name,
    fc.oneof({ arbitrary: right, weight: 20 }, { arbitrary: other, weight: 1 }),
  ]);
  const odd = { odd: fc.option(fc.constant(1), { nil: undefined, freq: 1 }) };
  const whole = fc.record({ ...Object.fromEntries(loose), ...odd });
  return fc.oneof({ arbitrary: whole, weight: 20 }, { arbitrary: other, weight: 1 }).map(asParsed);
}

// As it comes from the parser, which knows no undefined members.
const asParsed = (value: unknown) => (value === undefined ? null : JSON.parse(JSON.stringify(value)));
const maybe = (value: fc.Arbitrary<unknown>) => fc.option(value, { nil: undefined, freq: 1 });

const message = maybe(fc.constantFrom('', 'why', 'm'.repeat(4_096), 'm'.repeat(4_097)));
const data = fc.constantFrom({}, { name: 'Lamp', price: 20 });
const change = nearly({
  operation: fc.constantFrom('put', 'put', 'put', 'delete', 'merge'),
  collection: fc.constantFrom('products', 'a-b_c9', 'A'),
  key: fc.constantFrom('lamp', 'a/b', 'é', '..'),
  ifVersion: maybe(fc.constantFrom(0, 1, 2_147_483_647, 2_147_483_648, -1, 0.5)),
  data,
});

test.each([
  [
    'a commit',
    commitChangesBody,
    nearly({ changes: fc.array(change, { maxLength: 3 }), message, dryRun: maybe(fc.boolean()) }),
  ],
  ['staging', stageBody, nearly({ data, message, operation: maybe(fc.constantFrom('upsert', 'delete')) })],
  ['a commit of staged work', commitPendingBody, nearly({ receipt: fc.constantFrom('r', ''), message })],
])(
  'the short way for the body of %s answers what the schema answers, or nothing',
  (_what, schema, bodies) => {
    let taken = 0;
    fc.assert(
      fc.property(bodies, (body) => {
        const quick = readQuickly(schema, body);
        if (quick === undefined) return;
        taken += 1;
        expect(schema.parse(body)).toStrictEqual(quick);
      }),
      { numRuns: 2_000 },
    );
    // Without any this would prove nothing.
    expect(taken).toBeGreaterThan(20);
  },
);

test('as many changes as a commit may have go the short way, and no more', () => {
  const changes = Array.from({ length: 10_001 }, (_, index) => ({
    operation: 'put',
    collection: 'products',
    key: `k${index}`,
    data: {},
  }));
  expect(readQuickly(commitChangesBody, { changes: changes.slice(1) })).toBeDefined();
  expect(readQuickly(commitChangesBody, { changes })).toBeUndefined();
});
