import { createHistogram } from 'node:perf_hooks';
import autocannon from 'autocannon';
import type { Figures } from '../figures.js';

/** One request after the other on each of some connections. */
export interface Load {
  url: string;
  connections: number;
  /** The statuses that an answer may have. Default 200 alone. */
  statuses?: readonly number[];
  /** Requests a second at most; as fast as answers come if not given. */
  perSecond?: number;
  requests: SingleRequests | Cycles;
}

/** Requests that do not depend on one another's answers. */
export interface SingleRequests {
  type: 'single';
  /** The next request as it goes over the wire, see `wire`. */
  next: () => Buffer;
  /** Whether an answer is right; asked for some of them. */
  isRight?: (body: string) => boolean;
}

/** Steps in which a request depends on the answer before it. The last one calls `done`. */
export interface Cycles {
  type: 'cycles';
  steps: (done: (startedAt: number) => void) => autocannon.Request[];
}

const SAMPLE_INTERVAL_MS = 50;
const REQUEST_TIMEOUT_SECONDS = 30;
/** Every so many answers one is looked at as a whole. */
const LOOK_EVERY = 256;
const MICROSECONDS = 1_000;

/** Applies the load for so many seconds, and measures rate and latency of its operations: requests, or cycles. */
export async function applyLoad(load: Load, seconds: number): Promise<Figures> {
  const latency = createHistogram();
  const note = (ms: number) => latency.record(Math.max(1, Math.round(ms * MICROSECONDS)));
  const { requests } = load;
  const options = { ...commonOptions(load, seconds), ...optionsFor(requests, note) };
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(options, (error, outcome) => (error ? reject(error) : resolve(outcome)));
    if (requests.type === 'single') {
      instance.on('response', (_client, _status, _bytes, ms) => note(ms));
    }
  });
  const elapsed = (result.finish.getTime() - result.start.getTime()) / 1_000;
  return {
    rate: latency.count / elapsed,
    ...(latency.count === 0
      ? {}
      : { p50Ms: latency.percentile(50) / MICROSECONDS, p99Ms: latency.percentile(99) / MICROSECONDS }),
    wrong: wrongOf(result, load.statuses ?? [200]),
  };
}

function commonOptions({ url, connections, perSecond }: Load, seconds: number) {
  return {
    url,
    connections,
    ...(perSecond === undefined ? {} : { overallRate: perSecond }),
    duration: seconds,
    timeout: REQUEST_TIMEOUT_SECONDS,
    sampleInt: SAMPLE_INTERVAL_MS,
  };
}

function optionsFor(
  requests: SingleRequests | Cycles,
  note: (ms: number) => void,
): Partial<autocannon.Options> {
  if (requests.type === 'cycles') {
    return { requests: requests.steps((startedAt) => note(performance.now() - startedAt)) };
  }
  const { next, isRight } = requests;
  let answers = 0;
  return {
    // autocannon would put each request together from its parts, which costs more than sending it does: the load
    // generator would be what is measured. It asks its client for the bytes.
    setupClient: (client) => Object.assign(client, { getRequestBuffer: next }),
    ...(isRight === undefined
      ? {}
      : {
          verifyBody: (body) => {
            answers += 1;
            return answers % LOOK_EVERY !== 1 || isRight(String(body));
          },
        }),
  };
}

/** Answers of another status, with a wrong body, or none at all. */
function wrongOf(result: autocannon.Result, expected: readonly number[]): number {
  const others = Object.entries(result.statusCodeStats ?? {}).filter(
    ([status]) => !expected.includes(Number(status)),
  );
  const unexpected = others.reduce((sum, [, { count }]) => sum + Number(count), 0);
  // A time-out counts as an error as well.
  return unexpected + result.errors + result.mismatches + result.resets;
}

/** A request as it goes over the wire. */
export function wire(
  method: string,
  url: string,
  path: string,
  { headers = {}, body }: { headers?: Record<string, string>; body?: string } = {},
): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${new URL(url).host}`, 'Connection: keep-alive'];
  lines.push(...Object.entries(headers).map(([name, value]) => `${name}: ${value}`));
  if (body !== undefined) {
    lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`);
  }
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
}

/** Any of the items, again and again. */
export function anyOf<Item>(items: readonly Item[]): () => Item {
  return () => {
    const item = items[Math.floor(Math.random() * items.length)];
    if (item === undefined) {
      throw new Error('there is nothing to choose from');
    }
    return item;
  };
}
