import { parseArgs } from 'node:util';

export interface Arguments {
  /** Base address of a running service, without a trailing slash; null: the demo starts one of its own. */
  url: string | null;
  /** Bearer token for a service that has `AUTH_TOKENS`. */
  token: string | null;
  help: boolean;
}

export const usage = `Usage: npm run demo [-- --url http://127.0.0.1:3000] [--token TOKEN]

Loads three real releases of the SPDX licence list, one after the other, while a reader polls,
and checks every promise on the way. Exits 0 only if all of them held.

  --url URL      use this running service; without it one is started, with a database of its own
                 in a temporary directory, and removed at the end
  --token TOKEN  bearer token for a service with AUTH_TOKENS (or the variable DIPTYCH_TOKEN)
  --help         print this

With --url the demo makes one new collection, spdx-licenses-<random>, and leaves it there to look at.
Nothing else on that service is changed.`;

/** @throws TypeError for an option that does not exist, Error for an address that is none. */
export function readArguments(args: string[], env: NodeJS.ProcessEnv): Arguments {
  const { values } = parseArgs({
    args,
    options: { url: { type: 'string' }, token: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  const url = values.url?.replace(/\/+$/, '') ?? null;
  if (url !== null && (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))) {
    throw new Error('--url must look like http://127.0.0.1:3000');
  }
  return { url, token: values.token ?? env.DIPTYCH_TOKEN ?? null, help: values.help ?? false };
}
