import { createRequire } from 'node:module';
import type { State } from '../content.js';

export interface Licence {
  name: string;
  url?: string;
  osiApproved: boolean;
  licenseText: string;
}

export interface Release {
  /** The release of the npm package `spdx-license-list`. */
  name: string;
  licences: State<Licence>;
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
