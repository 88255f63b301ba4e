import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface Service {
  url: string;
  /** Ends the process, if the demo started it, and removes what it kept. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;

/** Settings that would lead the demo's own service to somebody's data. */
const FOREIGN_SETTINGS = ['DATABASE_URL', 'AUTH_TOKENS', 'PUBLIC_URL'];

/**
 * Starts the built service with an empty database of its own on a free port.
 * @throws Error with the last lines of its log when it does not start.
 */
export async function startService(program: string): Promise<Service> {
  const directory = await mkdtemp(join(tmpdir(), 'diptych-demo-'));
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
  });
  // Its working directory is the empty one, so that no .env file is read.
  const child = spawn(process.execPath, [program], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stop = async () => {
    await end(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    return { url: await addressOf(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Reads the log until it names the address. The log is read on afterwards, so that the pipe never fills. */
function addressOf(child: ChildProcess): Promise<string> {
  const lastLines: string[] = [];
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => reject(new Error([`The service ${reason}.`, ...lastLines].join('\n  ')));
    const timer = setTimeout(
      () => fail(`did not start within ${START_TIMEOUT_MS / 1_000} s`),
      START_TIMEOUT_MS,
    );
    child.once('error', (error) => fail(`could not be started: ${error.message}`));
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      fail(`ended before it listened (${signal ?? `exit code ${code}`})`);
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) {
        createInterface({ input: stream }).on('line', (line) => {
          lastLines.push(line);
          lastLines.splice(0, lastLines.length - 10);
          const url = addressIn(line);
          if (url !== null) {
            clearTimeout(timer);
            resolve(url);
          }
        });
      }
    }
  });
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
