import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A process of its own that the benchmarks talk to. */
export interface Running {
  pid: number;
  url: string;
  child: ChildProcess;
  stop(): Promise<void>;
}

/**
 * Starts `servers/<name>.ts` with this configuration and waits until it listens.
 * @throws Error when it ends before.
 */
export async function startServer(name: string, config: object): Promise<Running> {
  const child = launch(name, config);
  const url = String(await firstMessage(name, child));
  const ended = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await ended;
    }
  };
  return { pid: child.pid ?? 0, url, child, stop };
}

/** Starts one that does not listen, and waits until it has begun. */
export async function startWorker(name: string, config: object): Promise<ChildProcess> {
  const child = launch(name, config);
  await firstMessage(name, child);
  return child;
}

function launch(name: string, config: object): ChildProcess {
  const child = fork(fileURLToPath(new URL(`./${name}.js`, import.meta.url)), { stdio: 'inherit' });
  child.send(config);
  return child;
}

async function firstMessage(name: string, child: ChildProcess): Promise<unknown> {
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${name} ended before it had begun`);
  });
  const [message]: unknown[] = await Promise.race([once(child, 'message'), ended]);
  // It ends some time.
  ended.catch(() => {});
  return message;
}
