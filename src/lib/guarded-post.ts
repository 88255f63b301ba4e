import { lookup } from 'node:dns';
import http, { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { bareHost } from './bare-host.js';

/** Why a request had no answer. */
export type PostFailure =
  | 'timeout'
  | 'stopped'
  | 'private-address'
  | 'host-not-found'
  | 'tls'
  | 'connection'
  | 'protocol';

export class PostError extends Error {
  override readonly name = 'PostError';

  constructor(
    readonly code: PostFailure,
    message: string,
  ) {
    super(message);
  }
}

export interface PostGuard {
  /** Whether a host is trusted wherever it leads. */
  isHostTrusted: (host: string) => boolean;
  /** What is wrong with an address, or null. */
  refusalOf: (address: string) => string | null;
}

export interface PostRequest {
  url: string;
  headers: Record<string, string>;
  body: string;
  timeoutMs: number;
  /** As much of the answer is read; what is longer is cut off with its connection. */
  maxAnswerBytes: number;
  signal?: AbortSignal | undefined;
}

export interface PostAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Its beginning. */
  text: string;
}

const freeSocketsMax = 256;

/**
 * Posts to URLs that others have chosen. A connection is made only to an address that was checked: the look-up that
 * the check sees is the one that the connection uses, so that a name cannot lead elsewhere in between. Redirects are
 * answers like any other, and no proxy of the environment is used.
 */
export class GuardedPoster {
  readonly #guard: PostGuard;
  readonly #kept: Agents;
  /** A connection for one request. */
  readonly #fresh: Agents;

  /** @param resolve how names are looked up */
  constructor(guard: PostGuard, resolve: typeof lookup = lookup) {
    this.#guard = guard;
    const guarded = guardedLookup(guard, resolve);
    this.#kept = agentsOf({ keepAlive: true, maxFreeSockets: freeSocketsMax, lookup: guarded });
    this.#fresh = agentsOf({ keepAlive: false, lookup: guarded });
  }

  /** @throws PostError when there is no answer */
  async post(request: PostRequest): Promise<PostAnswer> {
    const url = new URL(request.url);
    const host = bareHost(url.hostname);
    // Nobody looks an address up.
    if (isIP(host) !== 0 && !this.#guard.isHostTrusted(host)) requireAllowed(this.#guard, host);
    try {
      return await send(url, request, this.#kept);
    } catch (error) {
      // A connection that was kept may be closed by the other side at the moment in which it is used again. So may the
      // next one that was.
      if (error instanceof StaleConnection) return await send(url, request, this.#fresh);
      throw error;
    }
  }

  /** Closes what is kept open. */
  close(): void {
    for (const { http, https } of [this.#kept, this.#fresh]) {
      http.destroy();
      https.destroy();
    }
  }
}

interface Agents {
  http: http.Agent;
  https: https.Agent;
}

const agentsOf = (options: http.AgentOptions): Agents => ({
  http: new http.Agent(options),
  // Whatever the environment says about certificates.
  https: new https.Agent({ ...options, rejectUnauthorized: true }),
});

function send(url: URL, post: PostRequest, agents: Agents): Promise<PostAnswer> {
  const { headers, body, timeoutMs, maxAnswerBytes, signal } = post;
  return new Promise((resolve, reject) => {
    const isTls = url.protocol === 'https:';
    const length = { 'content-length': String(Buffer.byteLength(body)) };
    const request = (isTls ? https : http).request(url, {
      method: 'POST',
      agent: isTls ? agents.https : agents.http,
      headers: { ...headers, ...length },
    });
    const giveUp = (error: PostError) => () => request.destroy(error);
    const onTime = giveUp(new PostError('timeout', `There was no answer within ${timeoutMs / 1_000} s.`));
    const onStop = giveUp(new PostError('stopped', 'The service was stopped meanwhile.'));
    const timer = setTimeout(onTime, timeoutMs);
    signal?.addEventListener('abort', onStop);
    if (signal?.aborted) onStop();
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onStop);
      settle();
    };
    let isAnswered = false;
    request.on('response', (response) => {
      isAnswered = true;
      void readBeginning(response, maxAnswerBytes).then((text) =>
        finish(() => resolve({ status: response.statusCode ?? 0, headers: response.headers, text })),
      );
    });
    // Once there is an answer, its end is what is waited for.
    const fail = (error: Error) => isAnswered || finish(() => reject(error));
    request.on('error', (error) => fail(toPostError(error, request)));
    request.on('close', () =>
      fail(new PostError('connection', 'The connection was closed without an answer.')),
    );
    request.end(body);
  });
}

class StaleConnection extends Error {}

function requireAllowed(guard: PostGuard, address: string): void {
  const refusal = guard.refusalOf(address);
  if (refusal === null) return;
  throw new PostError(
    'private-address',
    `The host leads out of the public Internet (${refusal}); WEBHOOK_ALLOW can allow it.`,
  );
}

/** Looks a name up, and hands on what it leads to only if all of it may be reached. */
function guardedLookup(guard: PostGuard, resolve: typeof lookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
      try {
        if (!guard.isHostTrusted(bareHost(hostname)))
          for (const { address } of addresses) requireAllowed(guard, address);
      } catch (refusal) {
        return callback(refusal as Error, '');
      }
      const [first] = addresses;
      if (options.all || first === undefined) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** Never fails: the status is there, and is what counts. */
async function readBeginning(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBytes) break;
    }
  } catch {
    // Cut off on its way.
  }
  return Buffer.concat(chunks).subarray(0, maxBytes).toString();
}

function toPostError(error: NodeJS.ErrnoException, request: ClientRequest): Error {
  if (error instanceof PostError) return error;
  const { code = '' } = error;
  if (request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE')) return new StaleConnection();
  return new PostError(failureOf(code), error.message || code);
}

function failureOf(code: string): PostFailure {
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ENODATA') return 'host-not-found';
  if (/^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO)/.test(code)) return 'tls';
  if (code.startsWith('HPE_')) return 'protocol';
  return 'connection';
}
