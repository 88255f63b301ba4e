import { spawnSync } from 'node:child_process';
import { link, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Binaries } from './binaries.js';
import type { Cluster } from './cluster.js';
import { commandLine, isRunning } from './process.js';

/** The server process of a cluster, as its lock file `postmaster.pid` tells. */
export interface Postmaster {
  pid: number;
  port: number;
}

const POLL_INTERVAL_MS = 25;
const STOP_PATIENCE_MS = 10_000;

/** The postmaster that runs on this cluster, whoever started it, or null. */
export async function findPostmaster(cluster: Cluster): Promise<Postmaster | null> {
  const text = await readLockFile(cluster);
  return text === null ? null : runningPostmaster(text, cluster);
}

/** The lines are: process, data directory, start time, port, … (PostgreSQL: src/include/utils/pidfile.h). */
function runningPostmaster(lockFile: string, cluster: Cluster): Postmaster | null {
  const lines = lockFile.split('\n');
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  return Number.isInteger(pid) && pid > 0 && serves(pid, cluster) ? { pid, port } : null;
}

function serves(pid: number, cluster: Cluster): boolean {
  if (!isRunning(pid)) {
    return false;
  }
  // A number is given out again: after a restart of the machine it may be anybody's.
  const command = commandLine(pid);
  return command === null || command.includes(cluster.data);
}

/**
 * Removes the lock file of a postmaster that is gone. PostgreSQL does it itself, unless the process number
 * has been given to another process since; then it would refuse to start for ever.
 */
export async function removeStaleLockFile(cluster: Cluster): Promise<void> {
  const text = await readLockFile(cluster);
  if (text === null || text === '' || runningPostmaster(text, cluster) !== null) {
    return;
  }
  const path = lockFilePath(cluster);
  const aside = `${path}.stale-${process.pid}`;
  await rename(path, aside).catch(() => {});
  // Another start may have made its own lock file between the two steps: then that one goes back.
  if ((await readFile(aside, 'utf8').catch(() => text)) !== text) {
    await link(aside, path).catch(() => {});
  }
  await rm(aside, { force: true });
}

/**
 * Stops the server: sessions are ended, what is committed is on the disk. Returns when it is gone. A server that has
 * been told to stop waits until whoever follows its log has confirmed all of it, which some never do. After a while it
 * is stopped at once, as a power failure would: nothing is lost by that, and the next start recovers.
 */
export async function stopPostmaster(
  binaries: Binaries,
  cluster: Cluster,
  { pid }: Postmaster,
  patienceMs = STOP_PATIENCE_MS,
): Promise<void> {
  signalStop(binaries, cluster, pid, 'fast');
  const patientUntil = performance.now() + patienceMs;
  let isPatient = true;
  while (serves(pid, cluster)) {
    await pause(POLL_INTERVAL_MS);
    if (isPatient && performance.now() > patientUntil) {
      isPatient = false;
      signalStop(binaries, cluster, pid, 'immediate');
    }
  }
}

function signalStop(binaries: Binaries, cluster: Cluster, pid: number, mode: 'fast' | 'immediate'): void {
  if (process.platform === 'win32') {
    const args = ['stop', '--no-wait', `--mode=${mode}`, `--pgdata=${cluster.data}`];
    spawnSync(binaries.pgCtl, args, { stdio: 'ignore' });
    return;
  }
  try {
    process.kill(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  } catch (error) {
    if (isRunning(pid)) {
      throw error;
    }
  }
}

function lockFilePath(cluster: Cluster): string {
  return join(cluster.data, 'postmaster.pid');
}

async function readLockFile(cluster: Cluster): Promise<string | null> {
  try {
    return await readFile(lockFilePath(cluster), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return null;
    }
    throw error;
  }
}
