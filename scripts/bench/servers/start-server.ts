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
export async function startServer(name: string, config: unknown): Promise<Running> {
  const child = fork(fileURLToPath(new URL(`./${name}.js`, import.meta.url)), { stdio: 'inherit' });
  const ended = once(child, 'exit');
  child.send(config as object);
  const url = await Promise.race([
    once(child, 'message').then(([message]: unknown[]) => String(message)),
    ended.then(() => Promise.reject(new Error(`the server ${name} ended before it listened`))),
  ]);
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { pid: child.pid ?? 0, url, child, stop };
}
