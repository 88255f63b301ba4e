import { randomUUID } from 'node:crypto';
import { type Following, followEvents, type StreamEvent } from '../support/follow.js';
import type { Random } from '../support/random.js';
import type { Instance } from './instance.js';
import type { Target } from './load.js';

const json = { 'Content-Type': 'application/json' };
const collection = 'events';

/** The key of the change after which nothing more comes. */
const endKey = 'end';

/** What the writers have been told. */
export interface Written {
  changes: number;
  commits: number;
  refused: number;
  /** Calls that nobody answered: they may have happened. */
  unanswered: number;
  unexpected: string[];
  /** Called after each answer. */
  onAnswer: () => void;
}

export const nothingWritten = (): Written => ({
  changes: 0,
  commits: 0,
  refused: 0,
  unanswered: 0,
  unexpected: [],
  onAnswer: () => {},
});

/** Makes a collection that refuses one of ten commits. */
export async function prepareEvents(target: Target): Promise<void> {
  const definition = { rules: [{ id: 'some', assert: 'data.n % 10 != 9', message: 'refused on purpose' }] };
  const response = await fetch(`${target.url}/v1/collections/${collection}`, {
    method: 'PUT',
    headers: json,
    body: JSON.stringify(definition),
  });
  if (!response.ok) throw new Error(await response.text());
}

async function commit(target: Target, changes: object[]): Promise<Response | null> {
  try {
    const response = await fetch(`${target.url}/v1/commits`, {
      method: 'POST',
      headers: { ...json, 'Idempotency-Key': randomUUID() },
      body: JSON.stringify({ changes }),
    });
    await response.arrayBuffer();
    return response.status === 503 ? null : response;
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Those that are not known to be away: who is refused a connection asks again at once, and takes time from others. */
function present(instances: Instance[]): Instance[] {
  const there = instances.filter(({ isAway }) => !isAway);
  return there.length > 0 ? there : instances;
}

/** Commits one to four records at a time until it is told that it is enough. */
export async function write(
  instances: Instance[],
  written: Written,
  options: { writer: number; random: Random; isOver: () => boolean },
): Promise<void> {
  const { writer, random, isOver } = options;
  for (let turn = 0; !isOver(); turn += 1) {
    const group = Array.from({ length: 1 + random.below(4) }, (_, member) => ({
      collection,
      key: `w${writer}-${member}`,
      // No commit equals what is there, so that each that is taken is in the log.
      operation: 'put',
      data: { n: turn * 10 + (member === 0 ? random.below(10) : 0), turn },
    }));
    const answer = await commit(random.pick(present(instances)), group);
    if (answer === null) written.unanswered += 1;
    else if (answer.status === 422) written.refused += 1;
    else if (answer.status === 200) {
      written.commits += 1;
      written.changes += group.length;
    } else written.unexpected.push(`a commit was answered with ${answer.status}`);
    written.onAnswer();
  }
}

/** Makes the last change of all. */
export async function writeEnd(instances: Instance[], random: Random): Promise<void> {
  const change = { collection, key: endKey, operation: 'put', data: { n: 0 } };
  while ((await commit(random.pick(present(instances)), [change]))?.status !== 200);
}

export interface Heard {
  /** Places in the log. */
  told: string[];
  /** From the time that a commit has in the log to its arrival, where the reader was there. */
  delaysMs: number[];
  connections: number;
}

/** Follows the feed as events, up to its end. Its connection is cut again and again, and it goes on on any instance. */
export async function hear(instances: Instance[], random: Random, signal: AbortSignal): Promise<Heard> {
  const heard: Heard = { told: [], delaysMs: [], connections: 0 };
  for (let lastId = '0'; !signal.aborted; ) {
    const stream = await connect(random.pick(present(instances)), lastId);
    if (stream === null) continue;
    heard.connections += 1;
    const connectedAt = Date.now();
    for (let left = 1 + random.below(1_000); left > 0; left -= 1) {
      const event = await stream.next().catch(() => null);
      if (event === null) break;
      lastId = event.id;
      if (event.event !== 'change') continue;
      const change = JSON.parse(event.data);
      heard.told.push(`${change.revision}.${change.ordinal}`);
      const committedAt = Date.parse(change.committedAt);
      if (committedAt > connectedAt) heard.delaysMs.push(Date.now() - committedAt);
      if (change.key === endKey) {
        stream.cut();
        return heard;
      }
    }
    stream.cut();
  }
  return heard;
}

/** Null from an instance that is away, or on its way out. */
async function connect(target: Target, lastId: string): Promise<Following<StreamEvent> | null> {
  try {
    const stream = await followEvents(`${target.url}/v1/changes?after=0`, { 'Last-Event-ID': lastId });
    if (stream.status === 200) return stream;
    stream.cut();
    if (stream.status === 503) return null;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
  throw new Error(`a stream was refused after ${lastId}`);
}
