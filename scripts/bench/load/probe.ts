// Loaded into the service with `--import`, so that its event loop and its profile can be seen from outside while the
// service itself stays as it is. Only the benchmarks' parent process talks to it.

import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 5;

const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();
let session: Session | null = null;

async function answer(message: unknown): Promise<void> {
  if (message === 'reset') {
    delays.reset();
  } else if (message === 'report') {
    // The histogram holds the time between two turns of a timer, which is never shorter than what it waits for.
    process.send?.(Math.max(0, delays.percentile(99) / 1e6 - RESOLUTION_MS));
  } else if (message === 'profile') {
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    process.send?.('profiling');
  } else if (isSave(message) && session !== null) {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    writeFileSync(message.save, JSON.stringify(profile));
    process.send?.('saved');
  }
}

function isSave(message: unknown): message is { save: string } {
  return typeof message === 'object' && message !== null && 'save' in message;
}

process.on('message', (message) => {
  answer(message).catch((error: unknown) => console.error(error));
});
// The service ends when it wants to, whoever listens; and when the benchmarks are gone it is of no more use.
process.channel?.unref();
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
