import { type Logger, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { Config } from '../config.js';

/** Lines for people on a terminal, JSON for programs elsewhere, unless the configuration says which. */
export function createLogger({ logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>): Logger {
  const isPretty = logFormat === 'pretty' || (logFormat === 'auto' && process.stdout.isTTY === true);
  // Written synchronously: the last line before the end of the process is the one that matters most.
  const destination = isPretty
    ? PinoPretty({ sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' })
    : pino.destination({ fd: 1, sync: true });
  return pino({ name: 'diptych', level: logLevel }, destination);
}
