import { parseArgs } from 'node:util';

const DATA_SETS = ['spdx', 'browser-compat'] as const;

export interface Arguments {
  data: (typeof DATA_SETS)[number];
  /** The only area of the browser compatibility data to load; null: all of them. */
  part: string | null;
  /** Base address of a running service, without a trailing slash; null: the demo starts one of its own. */
  url: string | null;
  /** Bearer token for a service that has `AUTH_TOKENS`. */
  token: string | null;
  help: boolean;
}

export const usage = `Usage: npm run demo [-- --data spdx|browser-compat] [--url http://127.0.0.1:3000] [--token TOKEN]

Loads real releases of real data, one after the other, while a reader reads without pause,
and checks every promise on the way. Exits 0 only if all of them held.

  --data spdx            three releases of the SPDX licence list (this is the default)
  --data browser-compat  two releases of MDN's browser compatibility data, 20,000 records, as changesets:
                         staged, previewed, switched, reverted, exported and imported elsewhere
  --part AREA            only this area of the browser compatibility data, for example css
  --url URL              use this running service; without it one is started, with a database of its own
                         in a temporary directory, and removed at the end
  --token TOKEN          bearer token for a service with AUTH_TOKENS (or the variable DIPTYCH_TOKEN)
  --help                 print this

With --url the demo makes one new collection, spdx-licenses-<random> or browser-compat-<random> (and a copy of
it), and leaves it there to look at. Nothing else on that service is changed.`;

/** @throws TypeError for an option that does not exist, Error for an address that is none. */
export function readArguments(args: string[], env: NodeJS.ProcessEnv): Arguments {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string' },
      part: { type: 'string' },
      url: { type: 'string' },
      token: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const data = DATA_SETS.find((name) => name === (values.data ?? 'spdx'));
  if (data === undefined) {
    throw new Error(`--data must be one of ${DATA_SETS.join(', ')}`);
  }
  if (values.part !== undefined && data !== 'browser-compat') {
    throw new Error('--part goes with --data browser-compat');
  }
  const url = values.url?.replace(/\/+$/, '') ?? null;
  if (url !== null && (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))) {
    throw new Error('--url must look like http://127.0.0.1:3000');
  }
  return {
    data,
    part: values.part ?? null,
    url,
    token: values.token ?? env.DIPTYCH_TOKEN ?? null,
    help: values.help ?? false,
  };
}
