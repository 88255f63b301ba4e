import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

// What the operating system knows of a process. Where there is no /proc only memory is known.

/** Linux counts processor time in hundredths of a second, whatever the kernel's own clock. */
const TICKS_PER_SECOND = 100;

interface Times {
  parent: number;
  own: number;
  /** Of children that have ended. */
  reaped: number;
}

/** Seconds of processor time of a process and its children, those that have ended included; null if not known. */
export function cpuSecondsOf(pid: number): number | null {
  const main = timesOf(pid);
  if (main === null) {
    return null;
  }
  let ticks = main.own + main.reaped;
  for (const name of readdirSync('/proc')) {
    const child = /^\d+$/.test(name) ? timesOf(Number(name)) : null;
    if (child?.parent === pid) {
      ticks += child.own + child.reaped;
    }
  }
  return ticks / TICKS_PER_SECOND;
}

/** The process that started this one. */
export function parentOf(pid: number): number | null {
  return timesOf(pid)?.parent ?? null;
}

/** proc(5): after the name in brackets come state, parent, … and the times as fields 14 to 17. */
function timesOf(pid: number): Times | null {
  const text = readIfThere(`/proc/${pid}/stat`);
  if (text === null) {
    return null;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  return { parent: field(4), own: field(14) + field(15), reaped: field(16) + field(17) };
}

/** Resident memory in MB; null if not known. */
export function memoryOf(pid: number): number | null {
  const status = readIfThere(`/proc/${pid}/status`);
  const kilobytes =
    status === null
      ? spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim()
      : /^VmRSS:\s+(\d+)/m.exec(status)?.[1];
  return kilobytes ? Number(kilobytes) / 1024 : null;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
