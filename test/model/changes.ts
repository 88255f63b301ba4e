import { keys, randomData, randomPatch } from './data.js';
import type { Change } from './operations.js';
import { anyAddress, knownRecord, type Scene, versionOf } from './scene.js';
import { type Address, currentData, currentNumber, type Data } from './state.js';

export function someChange(scene: Scene): Change {
  const { random, state } = scene;
  const at = random.chance(0.5) ? knownRecord(scene) : anyAddress(scene);
  // What needs approvals is mostly left to changesets.
  if (at.collection === 'sealed' && random.chance(0.7)) return someChange(scene);
  const change = { ...at, ...(random.chance(0.2) ? { ifVersion: versionOf(scene, at, 0.8) ?? 0 } : {}) };
  const isLive = currentNumber(state, at) !== null;
  const operations =
    isLive || random.chance(0.1) ? (['put', 'merge', 'patch', 'delete', 'delete'] as const) : [];
  const operation = random.pick([...operations, 'put' as const]);
  if (operation === 'put') return { ...change, operation, data: randomData(random, at.collection) };
  if (operation === 'delete') return { ...change, operation };
  const patch = randomPatch(random, at.collection);
  if (!('merge' in patch)) return { ...change, operation: 'patch', patch };
  return {
    ...change,
    operation: 'merge',
    patch: typeof patch.merge === 'string' ? { price: 1 } : patch.merge,
  };
}

/** Two records whose unique values change places. */
export function exchange(scene: Scene): Change[] {
  const [one, other] = twoOf(scene);
  const valuesOf = (at: Address): Data => {
    const data = currentData(scene.state, at) ?? {};
    return { slug: data.slug ?? null, brand: data.brand ?? null, model: data.model ?? null };
  };
  return [
    { ...one, operation: 'merge', patch: valuesOf(other) },
    { ...other, operation: 'merge', patch: valuesOf(one) },
  ];
}

/** One record takes the place of another, which goes. */
export function succession(scene: Scene): Change[] {
  const [gone, heir] = twoOf(scene);
  const data = currentData(scene.state, gone) ?? randomData(scene.random, gone.collection);
  return [
    { ...gone, operation: 'delete' },
    { ...heir, operation: 'put', data },
  ];
}

/** A record that was once live, and another of its collection, mostly live as well. */
function twoOf(scene: Scene): [Address, Address] {
  const { random, state } = scene;
  const one = knownRecord({ ...scene, random });
  const others = keys[one.collection as keyof typeof keys].filter((key) => key !== one.key);
  const live = others.filter((key) => currentNumber(state, { ...one, key }) !== null);
  const candidates = live.length > 0 ? live : others.length > 0 ? others : [one.key];
  return [one, { ...one, key: random.pick(candidates) }];
}
