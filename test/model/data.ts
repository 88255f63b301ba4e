import type { Random } from '../support/random.js';
import type { Patch } from './operations.js';
import { noRules, type Rules } from './rules.js';
import type { Data } from './state.js';

/** Few keys, so that clients meet. */
export const keys = {
  goods: ['g1', 'g2', 'g3'],
  makers: ['m1', 'm2'],
  sealed: ['s1', 's2'],
  spare: ['x1'],
};
export type Name = keyof typeof keys;

/** The collections, those that more happens in more often. */
export const names: Name[] = [
  ...(['goods', 'goods', 'goods', 'goods', 'goods'] as const),
  ...(['makers', 'makers', 'makers', 'sealed', 'spare'] as const),
];

/** Few values, so that they collide; mostly no references, so that most of it is valid. */
export function randomData(random: Random, collection: string): Data {
  const reference = (to: Name) => (random.chance(0.3) ? random.pick(keys[to]) : null);
  return {
    slug: random.pick(['a', 'b', 'c', 'd', null]),
    price: random.pick([1, 1, 2, 2, 3, 4, 8]),
    pinned: random.chance(0.15),
    ...(random.chance(0.3) ? { brand: random.pick(['x', 'y']), model: random.pick([1, 2]) } : {}),
    ...(random.chance(0.5) ? { parent: reference(collection === 'spare' ? 'spare' : 'goods') } : {}),
    ...(random.chance(0.3) ? { maker: reference(collection === 'makers' ? 'spare' : 'makers') } : {}),
    ...(random.chance(0.2) ? { related: random.chance(0.6) ? [] : [random.pick(keys.goods)] } : {}),
  };
}

export function randomPatch(random: Random, collection: string): Patch {
  const price = random.pick([1, 2, 3, 5]);
  const sort = random.next();
  if (sort < 0.15) return { test: random.pick([1, 2, 3]), price };
  if (sort < 0.25) return { relate: random.pick(keys.goods) };
  if (sort < 0.33) return { merge: random.chance(0.5) ? 'delete' : 'upsert' };
  const whole = randomData(random, collection);
  const members = Object.keys(whole).filter(() => random.chance(0.4));
  return { merge: Object.fromEntries(members.map((name) => [name, whole[name] ?? null])) };
}

const references = {
  goods: [
    { member: 'parent', collection: 'goods' },
    { member: 'maker', collection: 'makers' },
    { member: 'related', collection: 'goods' },
  ],
  makers: [
    { member: 'parent', collection: 'goods' },
    { member: 'maker', collection: 'spare' },
  ],
  sealed: [{ member: 'parent', collection: 'goods' }],
  spare: [{ member: 'parent', collection: 'spare' }],
};

/** Rules of a collection; references mostly to these. */
export function randomRules(random: Random, collection: Name, others: string[]): Rules {
  const unique = [['slug'], ['brand', 'model'], ['price']];
  return {
    unique: unique.filter((_, index) => random.chance([0.7, 0.5, 0.05][index] ?? 0)),
    references: references[collection].filter((each) =>
      random.chance(others.includes(each.collection) ? 0.8 : 0.1),
    ),
    maxPrice: random.pick([null, 8, 8, 5, 3]),
    steady: random.chance(0.25),
    pinning: random.chance(0.4),
    approvals: collection === 'sealed' ? random.pick([1, 1, 2]) : random.chance(0.03) ? 1 : 0,
    retention: random.chance(0.75)
      ? {
          keepVersions: random.pick([1, 1, 2]),
          onExpire: random.pick(['archive' as const, 'delete' as const, 'delete' as const]),
        }
      : null,
  };
}

/** The rules that are in force, one of them tightened or loosened. */
export function tweakedRules(random: Random, collection: Name, rules: Rules): Rules {
  const other = randomRules(random, collection, ['goods', 'makers', 'spare']);
  const name = random.pick([...(Object.keys(noRules) as (keyof Rules)[]), 'retention'] as const);
  return { ...rules, [name]: other[name] };
}
