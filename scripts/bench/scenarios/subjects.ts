import { applyLoad, type Load } from '../load/load.js';
import { measure, type Target } from '../load/measure.js';
import type { Subject } from '../scenario.js';
import type { Header } from '../servers/serve.js';
import { emptyLog, type Measured } from '../world.js';

/** The service under a load. */
export function ofService(
  measured: Measured,
  { id = 'service', name = 'service' }: { id?: string; name?: string },
  load: Omit<Load, 'url'>,
): Subject {
  return {
    id,
    name,
    target: measured.target,
    run: async (seconds) => {
      await emptyLog(measured);
      return measure(measured.target, () => applyLoad({ ...load, url: measured.url }, seconds));
    },
  };
}

/** A reference under a load. */
export function ofReference(id: string, name: string, target: Target, load: Load): Subject {
  return { id, name, target, run: (seconds) => measure(target, () => applyLoad(load, seconds)) };
}

export interface RealAnswer {
  status: number;
  headers: Header[];
  body: string;
  tag: string;
}

/** What every server adds by itself. */
const OWN_HEADERS = ['date', 'connection', 'keep-alive', 'content-length', 'transfer-encoding'];

/** An answer of the service, for a reference to send the same bytes. @throws Error when it is no success. */
export async function answerOf(
  url: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<RealAnswer> {
  const answer = await fetch(url + path, { headers });
  const body = await answer.text();
  if (answer.status >= 400) {
    throw new Error(`GET ${path} gave ${answer.status}: ${body.slice(0, 500)}`);
  }
  const kept = [...answer.headers].filter(([name]) => !OWN_HEADERS.includes(name));
  return { status: answer.status, headers: kept, body, tag: answer.headers.get('etag') ?? '' };
}

/** Without what a reference makes itself for each answer. */
export function withoutOwn(headers: readonly Header[], ...names: string[]): Header[] {
  return headers.filter(([name]) => !names.includes(name));
}

/** @throws Error when the reference does not send what the service sends. */
export async function requireSame(service: string, reference: string, paths: string[]): Promise<void> {
  for (const path of paths) {
    const [expected, found] = [await answerOf(service, path), await answerOf(reference, path)];
    if (expected.body !== found.body) {
      throw new Error(
        `${path} of a reference is not what the service sends:\n${found.body.slice(0, 600)}\n${expected.body.slice(0, 600)}`,
      );
    }
  }
}

export const NOT_INSTALLED = {
  etcd: 'etcd is not installed (Debian: etcd-server), so it is not in this table.',
  pgbench: 'pgbench is not installed (Debian: postgresql-contrib), so it is not in this table.',
};
