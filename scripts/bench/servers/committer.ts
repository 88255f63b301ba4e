import { Agent, request } from 'node:http';
import { createHistogram } from 'node:perf_hooks';
import { bodyOfCommit, KEYS, keyOf } from '../records.js';

// Makes commits at a steady rate while something else is measured. Each is due by the clock and timed from when it was
// due, so that a stall counts for all who would have come meanwhile.

export interface CommitterConfig {
  url: string;
  rate: number;
  collection: string;
}

export interface Committed {
  rate: number;
  p99Ms: number;
  wrong: number;
}

const TURN_MS = 4;
const IN_FLIGHT_MAX = 256;
const MICROSECONDS = 1_000;

process.once('message', (config) => run(config as CommitterConfig));
process.once('disconnect', () => process.exit(0));

function run({ url, rate, collection }: CommitterConfig): void {
  const agent = new Agent({ keepAlive: true });
  const latency = createHistogram();
  const startedAt = performance.now();
  let sent = 0;
  let inFlight = 0;
  let wrong = 0;

  const commit = (due: number) => {
    const body = bodyOfCommit(collection, keyOf(Math.floor(Math.random() * KEYS)));
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    const settle = (isRight: boolean) => {
      inFlight -= 1;
      latency.record(Math.max(1, Math.round((performance.now() - due) * MICROSECONDS)));
      wrong += isRight ? 0 : 1;
    };
    const outgoing = request(`${url}/v1/commits`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume().once('end', () => settle(answer.statusCode === 200));
    });
    outgoing.once('error', () => settle(false));
    outgoing.end(body);
    inFlight += 1;
  };

  const turning = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * rate);
    // What cannot be sent now is sent later, and its lateness counts.
    while (sent < due && inFlight < IN_FLIGHT_MAX) {
      sent += 1;
      commit(startedAt + (sent * 1_000) / rate);
    }
  }, TURN_MS);

  process.once('message', () => {
    clearInterval(turning);
    const seconds = (performance.now() - startedAt) / 1_000;
    const committed: Committed = {
      rate: latency.count / seconds,
      p99Ms: latency.count === 0 ? 0 : latency.percentile(99) / MICROSECONDS,
      wrong,
    };
    process.send?.(committed);
  });
  process.send?.('started');
}
