import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { createTestDatabase } from '../support/database.js';
import { root, startProgram } from '../support/program.js';
import { size } from '../support/size.js';

const readers = size(100, 500);
const limitBytes = 50 * 1024 * 1024;
/** Committed before and after: much more than what all readers share, and than what the system holds for one. */
const commits = size(60, 120);

beforeAll(async () => {
  await promisify(execFile)(process.execPath, ['scripts/build.mjs'], { cwd: root });
});

/** What a process has in memory, in bytes. */
async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
}

/** Garbage that waits to be collected makes single readings differ by more than what is looked for. */
const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** A stream of events that is opened and never read. */
async function openUnread(url: URL): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname);
  socket.on('error', () => {});
  socket.pause();
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  socket.write(
    `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nAccept: text/event-stream\r\n\r\n`,
  );
  return socket;
}

test(`${readers} readers that stop reading take less than 50 MB, and commits go on`, {
  timeout: 600_000,
}, async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const program = startProgram({ DATABASE_URL: database.url, LOG_LEVEL: 'info' });
  const base = await program.ready();
  const { pid } = program.child;
  if (pid === undefined) throw new Error('the program has no process');
  const headers = { 'Content-Type': 'application/json' };
  await fetch(`${base}/v1/collections/events`, { method: 'PUT', headers, body: '{}' });
  let turn = 0;
  const readings: number[] = [];
  /** Commits so many times 20 records, reads now and then what the process has, and answers the last revision. */
  const commit = async (): Promise<number> => {
    let revision = 0;
    for (let count = 0; count < commits; count += 1) {
      turn += 1;
      const changes = Array.from({ length: 20 }, (_, index) => ({
        collection: 'events',
        key: `k${index}`,
        operation: 'put',
        data: { turn, text: 'x'.repeat(8_000) },
      }));
      const response = await fetch(`${base}/v1/commits`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ changes }),
      });
      expect(response.status).toBe(200);
      if (count % 5 === 0) readings.push(await residentBytes(pid));
      revision = ((await response.json()) as { revision: number }).revision;
    }
    return revision;
  };

  // One who reads, so that the tail is as full before as after.
  const reading = new AbortController();
  onTestFinished(() => reading.abort());
  const stream = await fetch(`${base}/v1/changes`, {
    headers: { Accept: 'text/event-stream' },
    signal: reading.signal,
  });
  void stream.body?.pipeTo(new WritableStream()).catch(() => {});
  // A young process grows for a while, whoever reads.
  for (let round = 0; round < 3; round += 1) await commit();
  readings.length = 0;
  const head = await commit();
  const before = median(readings.splice(0));
  const url = new URL(`${base}/v1/changes?after=${head}`);
  const sockets = await Promise.all(Array.from({ length: readers }, () => openUnread(url)));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await commit();
  readings.length = 0;
  await commit();
  const after = median(readings);
  const open = sockets.filter(({ destroyed }) => !destroyed).length;
  const mebibytes = (bytes: number) => Math.round(bytes / 1024 / 102.4) / 10;
  console.log(
    `${readers} readers that do not read: ${mebibytes(before)} MiB, then ${mebibytes(after)} MiB; ${open} open`,
  );
  expect(after - before).toBeLessThan(limitBytes);
});
