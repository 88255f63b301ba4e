import type { Logger } from 'pino';

/** What the outside, or a fault inside, asks of the process. */
export interface StopSignals {
  /** Resolves at the first request to stop. */
  requested: Promise<void>;
  isRequested(): boolean;
  /** Whether an error that nobody caught has been seen. */
  isFaulty(): boolean;
  /** Resolves at a second request: whoever asks twice does not want to wait. */
  insisted: Promise<void>;
}

const SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP'];
/** npm passes on a Ctrl-C that the terminal has already sent to everybody: the two are one request. */
const SAME_REQUEST_MS = 500;

/** Starts to listen for signals and for errors that nobody caught; the latter are logged here, once. */
export function listenForStop(logger: Logger): StopSignals {
  let firstAt: number | null = null;
  let isFaulty = false;
  let request: () => void = () => {};
  let insist: () => void = () => {};
  const requested = new Promise<void>((resolve) => {
    request = resolve;
  });
  const insisted = new Promise<void>((resolve) => {
    insist = resolve;
  });
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const now = performance.now();
      if (firstAt === null) {
        firstAt = now;
        logger.info({ signal }, 'stopping');
        request();
      } else if (now - firstAt > SAME_REQUEST_MS) {
        insist();
      }
    });
  }
  process.on('uncaughtException', (error, origin) => {
    logger.fatal({ err: error, origin }, 'an error that nobody caught; stopping');
    isFaulty = true;
    firstAt ??= performance.now();
    request();
  });
  return { requested, isRequested: () => firstAt !== null, isFaulty: () => isFaulty, insisted };
}
