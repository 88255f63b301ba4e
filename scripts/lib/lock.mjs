// Lets one build run at a time, so that two starts at the same moment do not build into each other.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { root } from './stamp.mjs';

const path = join(root, 'node_modules', '.diptych-build.lock');

export async function withBuildLock(work) {
  while (!take()) {
    await pause(100);
  }
  try {
    return work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take() {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') {
      throw error;
    }
  }
  const owner = readOwner();
  if (owner !== null && !isRunning(owner)) {
    // Left by a build that was killed.
    rmSync(path, { force: true });
  }
  return false;
}

function readOwner() {
  try {
    // Empty for the moment between its making and its writing.
    return Number(readFileSync(path, 'utf8')) || null;
  } catch {
    return null;
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
