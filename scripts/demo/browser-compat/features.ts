import { createRequire } from 'node:module';
import type { State } from '../content.js';

/** What the browsers make of one feature of the web. */
export interface Feature {
  source_file: string;
  support: Record<string, unknown>;
  status?: { deprecated: boolean; experimental: boolean; standard_track: boolean };
}

export interface Release {
  /** The release of the npm package `@mdn/browser-compat-data`. */
  name: string;
  features: State<Feature>;
}

/** A place in the tree: the data of the feature that it is, if it is one, and the places below. */
type Place = Record<string, unknown>;

/** At the top, beside the areas: what is known of the browsers and of the release. */
const NO_AREAS = ['__meta', 'browsers'];

/**
 * Two releases that lie side by side in `node_modules` under aliases, older first. Data: CC0-1.0.
 * `part` limits them to one area of the web, e.g. `css`.
 * @throws Error when there is no such area.
 */
export function loadReleases(part: string | null): [Release, Release] {
  return [loadRelease('bcd-first', part), loadRelease('bcd-second', part)];
}

function loadRelease(alias: string, part: string | null): Release {
  const { __meta, ...tree } = createRequire(import.meta.url)(alias) as Place & {
    __meta: { version: string };
  };
  const areas = Object.entries(tree).filter(([name]) => !NO_AREAS.includes(name));
  const chosen = areas.filter(([name]) => part === null || part === name);
  if (chosen.length === 0) {
    throw new Error(`--part must be one of ${areas.map(([name]) => name).join(', ')}`);
  }
  const features = new Map<string, Feature>();
  for (const [name, place] of chosen) {
    collect(place as Place, name, features);
  }
  return { name: __meta.version, features };
}

/**
 * Every place with a `__compat` member is a feature, and its dotted path the key. The features below it are
 * records of their own, and no part of it.
 */
function collect(place: Place, path: string, features: Map<string, Feature>): void {
  const { __compat, ...below } = place;
  if (__compat !== undefined) {
    features.set(path, __compat as Feature);
  }
  for (const [name, child] of Object.entries(below)) {
    collect(child as Place, `${path}.${name}`, features);
  }
}
