import { type Logger, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { Config } from '../config.js';
import { LineBuffer } from './line-buffer.js';

// What a pipe takes as one piece (POSIX, PIPE_BUF): lines of several processes stay whole.
const WRITE_BYTES_MAX = 4096;
// Nobody who reads along notices, and at a hundred lines a second it halves the writes.
const WRITE_DELAY_MS = 10;
const BUFFER_BYTES_MAX = 16 * 1024 * 1024;

/** Lines for people on a terminal, JSON for programs elsewhere, unless the configuration says which. */
export function createLogger({ logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>): Logger {
  const isPretty = logFormat === 'pretty' || (logFormat === 'auto' && process.stdout.isTTY === true);
  const options = { name: 'diptych', level: logLevel };
  if (isPretty) {
    return pino(options, PinoPretty({ sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' }));
  }
  // Lines of a reader that has stopped reading are given up in the end, and not the memory of the service.
  const destination = pino.destination({
    fd: 1,
    sync: false,
    maxWrite: WRITE_BYTES_MAX,
    maxLength: BUFFER_BYTES_MAX,
  });
  const lines = new LineBuffer(destination, { pieceBytes: WRITE_BYTES_MAX, delayMs: WRITE_DELAY_MS });
  // The last line before the end of the process is the one that matters most.
  process.on('exit', () => lines.flushSync());
  return pino(options, lines);
}
