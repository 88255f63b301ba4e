import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { wire } from '../load/load.js';
import { findProgram } from './find-program.js';

// etcd keeps one gapless revision over everything, as the service does: its nearest relative. It is asked through its
// HTTP/JSON gateway, whose reads are linearizable unless they ask for less, and with its own settings: every write is
// on the disk before it is answered.

export interface Etcd {
  pid: number;
  url: string;
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 20_000;
const POLL_INTERVAL_MS = 50;

/** Starts an etcd with nothing in it; null when it is not installed. */
export async function startEtcd(): Promise<Etcd | null> {
  const program = findProgram('etcd');
  if (program === null) {
    return null;
  }
  const directory = await mkdtemp(join(tmpdir(), 'diptych-bench-etcd-'));
  const [url, peers] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`];
  const settings = {
    'data-dir': directory,
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peers,
    'initial-advertise-peer-urls': peers,
    'initial-cluster': `default=${peers}`,
    'log-level': 'error',
  };
  const args = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(program, args, { stdio: 'ignore' });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await rm(directory, { recursive: true, force: true });
  };
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await isReady(url))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`${program} did not start`);
    }
    await pause(POLL_INTERVAL_MS);
  }
  return { pid: child.pid ?? 0, url, stop };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health`)).ok;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A linearizable read of one key, as it goes over the wire. */
export function rangeRequest(url: string, key: string): Buffer {
  return wire('POST', url, '/v3/kv/range', { body: JSON.stringify({ key: base64(key) }) });
}

/** A durable write of one key, as it goes over the wire. */
export function putRequest(url: string, key: string, value: string): Buffer {
  return wire('POST', url, '/v3/kv/put', {
    body: JSON.stringify({ key: base64(key), value: base64(value) }),
  });
}

export async function put(url: string, key: string, value: string): Promise<void> {
  const body = JSON.stringify({ key: base64(key), value: base64(value) });
  const { ok, status } = await fetch(`${url}/v3/kv/put`, { method: 'POST', body });
  if (!ok) {
    throw new Error(`etcd answered a put with ${status}`);
  }
}

/** What a read of one key found. */
export function valueIn(body: string): string {
  const { kvs } = JSON.parse(body) as { kvs?: { value: string }[] };
  return Buffer.from(kvs?.[0]?.value ?? '', 'base64').toString();
}
