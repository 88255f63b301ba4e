import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Licence } from './client.js';

export type State = ReadonlyMap<string, Licence>;

export interface Release {
  /** The release of the npm package `spdx-license-list`. */
  name: string;
  licences: State;
}

export interface Difference {
  added: string[];
  removed: string[];
  changed: string[];
}

/** Three releases that lie side by side in `node_modules` under aliases, oldest first. Data: CC0-1.0. */
export function loadReleases(): Release[] {
  const require = createRequire(import.meta.url);
  return ['spdx-first', 'spdx-second', 'spdx-third'].map((alias) => {
    const { version } = require(`${alias}/package.json`) as { version: string };
    const licences = require(`${alias}/spdx-full.json`) as Record<string, Licence>;
    return { name: version, licences: new Map(Object.entries(licences)) };
  });
}

/** What must change for `before` to become `after`. */
export function differenceOf(before: State, after: State): Difference {
  const added = [...after.keys()].filter((key) => !before.has(key));
  const removed = [...before.keys()].filter((key) => !after.has(key));
  const changed = [...after].flatMap(([key, licence]) => {
    const old = before.get(key);
    return old !== undefined && canonical(old) !== canonical(licence) ? [key] : [];
  });
  return { added, removed, changed };
}

/**
 * One hash for a whole list. Every key and every character counts, and so does an entry that is there twice;
 * the order does not. Written apart from the service's own digests, so that it can judge them.
 */
export function digestOf(entries: Iterable<readonly [string, Licence]>): string {
  const lines = [...entries].map(([key, licence]) => `${JSON.stringify(key)}:${canonical(licence)}`);
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex');
}

/** A licence is flat, so sorting its members is enough to make equal content equal text. */
export function canonical(licence: Licence): string {
  return JSON.stringify(Object.entries(licence).sort(([a], [b]) => (a < b ? -1 : 1)));
}
