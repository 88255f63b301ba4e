import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commitChanges } from '../../src/commands/commit-changes.js';
import type { Context } from '../../src/commands/context.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { rehearseDefinition } from '../../src/commands/rehearse-definition.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import type { Definition } from '../../src/domain/collection.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { ann, createInstance } from '../support/context.js';
import { size } from '../support/size.js';

/** A record of collection `a` or `b`, named by its place: the first four are of `a`. */
type Place = number;
const places: Place[] = [0, 1, 2, 3, 4, 5, 6];
const isOfA = (place: Place) => place < 4;
const keyOf = (place: Place) => `k${place}`;
/** The collections of one run. */
interface Names {
  a: string;
  b: string;
}
const addressOf = (names: Names, place: Place) => ({
  collection: isOfA(place) ? names.a : names.b,
  key: keyOf(place),
});

interface Content {
  /** Unique by the new definition of `a`; maybe by the old one. */
  sku: number;
  /** Refers to a record; of `a` by the new definition. */
  ref: Place | null;
  valid: boolean;
}
type State = Content | 'deleted';
interface World {
  live: Map<Place, Content>;
  /** By changeset, -1 for none. */
  pending: { party: number; place: Place; state: State }[];
  /** Whether the definition in force has the unique rule, the references. */
  inForce: { unique: boolean; references: boolean };
}

const unique = { unique: [['/sku']] };
const references = ({ a, b }: Names) => ({
  references: [
    { pointer: '/a', collection: a },
    { pointer: '/b', collection: b },
  ],
});
const definitionOf = (names: Names): Definition => ({
  schema: { properties: { valid: { const: true } } },
  ...unique,
  ...references(names),
});

const toData = ({ sku, ref, valid }: Content): JsonObject => ({
  sku,
  valid,
  ...(ref === null ? {} : { [isOfA(ref) ? 'a' : 'b']: keyOf(ref) }),
});

/** What is broken, worked out without SQL, by committing each party in the head. */
function model({ live, pending }: World): { live: string[]; pending: string[] } {
  const refers = (state: Map<Place, Content>, place: Place) => {
    const ref = state.get(place)?.ref ?? null;
    return ref === null || state.has(ref);
  };
  const ofA = [...live].filter(([place]) => isOfA(place)).sort(([a], [b]) => a - b);
  const brokenLive = ofA.filter(([place, { sku, valid }]) => {
    const rival = ofA.some(([other, content]) => other < place && content.sku === sku);
    return !valid || rival || !refers(live, place);
  });
  const brokenPending = pending.filter((each, at) => {
    if (!isOfA(each.place)) return false;
    const party = pending.filter(
      (other) => other === each || (each.party !== -1 && other.party === each.party),
    );
    const after = new Map(live);
    for (const { place, state } of party) {
      if (state === 'deleted') after.delete(place);
      else after.set(place, state);
    }
    const members = new Set(party.map(({ place }) => place));
    if (each.state === 'deleted') {
      // Those of `b` have no references in any definition.
      return [...live].some(([place, { ref }]) => isOfA(place) && !members.has(place) && ref === each.place);
    }
    const { sku, valid } = each.state;
    const rival = [...after].some(([place, content]) => {
      if (!isOfA(place) || place === each.place || content.sku !== sku) return false;
      // Of two members the one that was staged later is at fault.
      return (
        !members.has(place) ||
        pending.findIndex((other) => other.place === place && party.includes(other)) < at
      );
    });
    return !valid || rival || !refers(after, each.place);
  });
  return {
    live: brokenLive.map(([place]) => keyOf(place)),
    pending: brokenPending.map(({ party, place }) => `${party} ${keyOf(place)}`),
  };
}

const content = fc.record({
  sku: fc.integer({ min: 0, max: 4 }),
  ref: fc.option(fc.constantFrom(...places), { nil: null, freq: 2 }),
  valid: fc.integer({ min: 0, max: 5 }).map((value) => value > 0),
});

const anyWorlds: fc.Arbitrary<World> = fc.record({
  live: fc
    .dictionary(fc.constantFrom(...places.map(String)), content)
    .map((entries) => new Map(Object.entries(entries).map(([place, each]) => [Number(place), each]))),
  pending: fc.uniqueArray(
    fc.record({
      party: fc.integer({ min: -1, max: 1 }),
      place: fc.constantFrom(...places),
      state: fc.oneof(
        { weight: 3, arbitrary: content },
        { weight: 1, arbitrary: fc.constant<'deleted'>('deleted') },
      ),
    }),
    { maxLength: 10, selector: ({ party, place }) => `${party} ${place}` },
  ),
  inForce: fc.record({ unique: fc.boolean(), references: fc.boolean() }),
});

/** Live records as the definition in force has it, so that there can be one. */
const sound = (live: World['live']): World['live'] =>
  new Map(
    [...live].map(([place, { ref }]) => [
      place,
      { sku: place, ref: ref !== null && live.has(ref) ? ref : null, valid: true },
    ]),
  );

const worlds = fc.tuple(anyWorlds, fc.boolean()).map(([world, isSound]) => ({
  ...world,
  live: isSound ? sound(world.live) : world.live,
  // Only what is there can be staged for deletion.
  pending: world.pending.filter(({ place, state }) => state !== 'deleted' || world.live.has(place)),
}));

/** Rare among random ones. */
const referredByReferenceInForce: World = {
  live: new Map([
    [0, { sku: 0, ref: null, valid: true }],
    [1, { sku: 1, ref: 0, valid: true }],
  ]),
  pending: [{ party: -1, place: 0, state: 'deleted' }],
  inForce: { unique: false, references: true },
};

async function build(context: Context, names: Names, world: World): Promise<string[]> {
  for (const collection of [names.a, names.b])
    await putCollection(context, { collection, definition: {}, precondition: {}, actor: ann });
  const changes = [...world.live].map(([place, each]) => ({
    ...addressOf(names, place),
    operation: 'put' as const,
    data: toData(each),
  }));
  if (changes.length > 0) await commitChanges(context, { changes, dryRun: false, actor: ann });
  const { inForce } = world;
  const before: Definition = {
    title: 'before',
    ...(inForce.unique ? unique : {}),
    ...(inForce.references ? references(names) : {}),
  };
  // Where the records break it, the definition in force has neither.
  await putCollection(context, {
    collection: names.a,
    definition: before,
    precondition: { ifMatch: { any: true } },
    actor: ann,
  }).catch(() => undefined);
  const changesets: string[] = [];
  for (const title of ['0', '1']) {
    const [row] = await context.db.query<{ id: string }>(
      `INSERT INTO changeset (title, created_by) VALUES ($1, 'ann') RETURNING id`,
      [title],
    );
    changesets.push(row?.id ?? '');
  }
  for (const { party, place, state } of world.pending) {
    await stagePending(context, {
      ...addressOf(names, place),
      changeset: changesets[party] ?? null,
      staged: state === 'deleted' ? { operation: 'delete' } : { operation: 'upsert', data: toData(state) },
      precondition: {},
      actor: ann,
    });
  }
  return changesets;
}

test('a rehearsal finds every live and pending record that would break the definition, and no other', async () => {
  const context = await createInstance();
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      runs += 1;
      const names = { a: `a${runs}`, b: `b${runs}` };
      const changesets = await build(context, names, world);
      const { live, pending } = await rehearseDefinition(context, {
        collection: names.a,
        definition: definitionOf(names),
        actor: ann,
      });
      const found = {
        live: live.sample.map(({ key }) => key),
        pending: pending.sample.map(({ key, changeset }) => `${changesets.indexOf(changeset ?? '')} ${key}`),
      };
      const expected = model(world);
      expect(found).toEqual(expected);
      expect([live.failing, pending.failing]).toEqual([expected.live.length, expected.pending.length]);
      for (const { errors } of [...live.sample, ...pending.sample]) expect(errors).not.toEqual([]);
    }),
    { numRuns: size(40, 1_000), examples: [[referredByReferenceInForce]] },
  );
});
