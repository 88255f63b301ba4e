import { names, randomRules, tweakedRules } from './data.js';
import type { Action, Kind } from './operations.js';
import type { Scene } from './scene.js';

/** How clients come to their actions on collections. */
export const collectionActions = {
  'put-collection': (scene) => {
    const { random, state } = scene;
    const collection = random.pick(names);
    const known = state.collections.get(collection);
    const number = (known?.number ?? 0) - (random.chance(0.1) ? 1 : 0);
    const live = [...state.records.values()].some(
      (each) => each.collection === collection && each.current !== null,
    );
    const isSeen = random.chance(0.9) && known?.inForce;
    const saw = isSeen ? { saw: random.chance(0.3) ? ('any' as const) : { number } } : {};
    const rules =
      known && live && random.chance(0.12)
        ? { ...known.rules, maxPrice: 0 }
        : known?.inForce && random.chance(0.7)
          ? tweakedRules(random, collection, known.rules)
          : randomRules(random, collection, ['goods', 'makers', 'spare']);
    return { type: 'put-collection', collection, rules, ...saw };
  },
  'rehearse-definition': ({ random, state }) => {
    const collection = random.pick(names);
    const known = state.collections.get(collection);
    const rules = known?.inForce
      ? tweakedRules(random, collection, known.rules)
      : randomRules(random, collection, ['goods', 'makers', 'spare']);
    return { type: 'rehearse-definition', collection, rules };
  },
  'run-retention': ({ random, state }) => {
    const old = [...state.records.values()].filter(({ versions }) => versions.length > 1);
    const worth = [...state.collections.values()].filter(
      ({ name, rules }) => rules.retention !== null && old.some(({ collection }) => collection === name),
    );
    const collection = worth.length > 0 && random.chance(0.9) ? random.pick(worth).name : random.pick(names);
    return { type: 'run-retention', collection, dryRun: random.chance(0.2) };
  },
  'delete-collection': (scene) => {
    const { random, state } = scene;
    const collection = random.chance(0.6) ? 'spare' : random.pick(names);
    const number = state.collections.get(collection)?.number ?? 1;
    const saw = random.chance(0.3) ? { saw: { number: number - random.below(2) } } : {};
    return { type: 'delete-collection', collection, ...saw };
  },
} satisfies { [K in Kind]?: (scene: Scene) => Action };
