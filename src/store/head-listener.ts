import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { HeadWatch } from './head-watch.js';

/** Before a connection that was lost is opened again, in milliseconds: doubled each time, up to the second. */
const firstPauseMs = 100;
const longestPauseMs = 10_000;

const connectTimeoutMs = 5_000;

/** How long the server is waited for when a connection is to end. */
const goodbyeMs = 1_000;

/** How long nobody has to have waited for the listening to end, in milliseconds: who listens makes commits dearer. */
const quietMs = 10_000;

export interface HeadListener {
  /** Resolves when the connection is closed. */
  stop: () => Promise<void>;
}

/** What the listener needs of the database: where it is. */
export interface ListenedDatabase {
  pool: { options: { connectionString?: string | undefined } };
}

/** What the listener needs of a watch. */
export type ListeningWatch = Pick<HeadWatch, 'wake' | 'isListening' | 'isWaitedFor' | 'untilWaitedFor'>;

/**
 * Wakes whoever waits for the head as soon as a commit of any instance moves it, on a connection of its own, which is
 * there while anybody waits. Without it the watch asks more often, so that nothing depends on it but how soon.
 *
 * @param onLost told why, once for each time that listening comes to an end by itself
 */
export function startListening(
  db: ListenedDatabase,
  heads: ListeningWatch,
  onLost: (error: Error) => void = () => {},
): HeadListener {
  const stopped = new AbortController();
  const ended = listen(db, heads, { signal: stopped.signal, onLost });
  return {
    stop: async () => {
      stopped.abort();
      await ended;
    },
  };
}

async function listen(
  db: ListenedDatabase,
  heads: ListeningWatch,
  { signal, onLost }: { signal: AbortSignal; onLost: (error: Error) => void },
): Promise<void> {
  // Every attempt to connect listens for the end, and so does every pause between two.
  setMaxListeners(0, signal);
  let pauseMs = firstPauseMs;
  for (;;) {
    await heads.untilWaitedFor(signal);
    if (signal.aborted) return;
    const { hasListened, error } = await listenOnce(db, heads, signal);
    heads.isListening = false;
    if (hasListened) pauseMs = firstPauseMs;
    if (error === null) continue;
    onLost(error);
    await pause(pauseMs, signal);
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
  }
}

/** Listens until the connection ends: because of an error, or because it is to end or nobody needs it any more. */
async function listenOnce(
  db: ListenedDatabase,
  heads: ListeningWatch,
  signal: AbortSignal,
): Promise<{ hasListened: boolean; error: Error | null }> {
  const client = new pg.Client({
    connectionString: db.pool.options.connectionString,
    application_name: 'diptych-listener',
    connectionTimeoutMillis: connectTimeoutMs,
    // What has silently gone away is noticed in the end, and asking bridges the time.
    keepAlive: true,
  });
  let failure: Error | null = null;
  let isMeant = false;
  let hasListened = false;
  let end = () => {};
  // Also of a connection that has not come about: what `pg` connects is left waiting when it is ended meanwhile.
  const ended = new Promise<void>((resolve) => {
    end = resolve;
    client.once('end', resolve);
  });
  const close = () => {
    isMeant = true;
    end();
  };
  client.on('error', (error: Error) => {
    failure ??= error;
  });
  client.on('notification', () => heads.wake());
  signal.addEventListener('abort', close);
  const quiet = setInterval(() => heads.isWaitedFor || close(), quietMs);
  const listening = (async () => {
    await client.connect();
    await client.query('LISTEN diptych_head');
    hasListened = true;
    heads.isListening = !isMeant;
  })();
  try {
    await Promise.race([listening.then(() => ended), ended]);
    failure ??= new Error('the server has closed the connection');
  } catch (error) {
    failure ??= error instanceof Error ? error : new Error(String(error));
  } finally {
    clearInterval(quiet);
    signal.removeEventListener('abort', close);
    listening.catch(() => {});
    await goodbye(client);
  }
  return { hasListened, error: isMeant ? null : failure };
}

/** Ends the connection as it should end, or, where nobody answers, as it can. */
async function goodbye(client: pg.Client): Promise<void> {
  const late = new AbortController();
  // A connection that is broken already has nothing to say, and is destroyed below as any other.
  await Promise.race([client.end().catch(() => {}), pause(goodbyeMs, late.signal)]);
  late.abort();
  client.connection.stream.destroy();
}

/** Ends early by the signal. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
