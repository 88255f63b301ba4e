import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export interface Service {
  url: string;
  /** Ends the process, if the demo started it, and removes what it kept. */
  stop(): Promise<void>;
}

/** A service that was started here. */
export interface StartedService extends Service {
  child: ChildProcess;
  /** The file that its log goes to. */
  log: string;
}

export interface StartOptions {
  /** Settings besides those that every start here has. */
  settings?: Record<string, string>;
  /** Arguments of Node itself. */
  nodeArguments?: string[];
  /** Whether what `nodeArguments` load can be talked to. */
  ipc?: boolean;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_INTERVAL_MS = 20;

/** Settings that would lead the demo's own service to somebody's data. */
const FOREIGN_SETTINGS = ['DATABASE_URL', 'AUTH_TOKENS', 'PUBLIC_URL'];

/**
 * Starts the built service with an empty database of its own on a free port.
 * @throws Error with the last lines of its log when it does not start.
 */
export async function startService(program: string, options: StartOptions = {}): Promise<StartedService> {
  const { settings = {}, nodeArguments = [], ipc = false } = options;
  const directory = await mkdtemp(join(tmpdir(), 'diptych-'));
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of FOREIGN_SETTINGS) {
    delete env[name];
  }
  Object.assign(env, {
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: join(directory, 'data'),
    LOG_FORMAT: 'json',
    LOG_LEVEL: 'info',
    ...settings,
  });
  // A file takes lines without anybody reading them, as a pipe would need.
  const log = join(directory, 'service.log');
  const output = await open(log, 'a');
  // Its working directory is the empty one, so that no .env file is read.
  const child = spawn(process.execPath, [...nodeArguments, program], {
    cwd: directory,
    env,
    stdio: ['ignore', output.fd, output.fd, ...(ipc ? (['ipc'] as const) : [])],
  });
  await output.close();
  const stop = async () => {
    await end(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    return { url: await addressOf(child, log), stop, child, log };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Reads the log until it names the address. */
async function addressOf(child: ChildProcess, log: string): Promise<string> {
  let failure: string | null = null;
  child.once('error', (error) => {
    failure = `could not be started: ${error.message}`;
  });
  child.once('close', (code, signal) => {
    failure ??= `ended before it listened (${signal ?? `exit code ${code}`})`;
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    // Read after the look at the process: the last lines of one that has ended are all there.
    const reason =
      failure ?? (Date.now() < deadline ? null : `did not start within ${START_TIMEOUT_MS / 1_000} s`);
    const lines = (await readFile(log, 'utf8')).trimEnd().split('\n');
    const url = lines.map(addressIn).find((found) => found !== null);
    if (url !== undefined && url !== null) {
      return url;
    }
    if (reason !== null) {
      throw new Error([`The service ${reason}.`, ...lines.slice(-10)].join('\n  '));
    }
    await pause(POLL_INTERVAL_MS);
  }
}

/** The line of the JSON log that says that the service is ready names the address of its API. */
function addressIn(line: string): string | null {
  const api = /"msg":"[^"]*\b(https?:\/\/[^\s"]+)\/v1\b/.exec(line);
  return api?.[1] ?? null;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(timer);
}
