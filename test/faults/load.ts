import { randomUUID } from 'node:crypto';
import type { Random } from '../support/random.js';
import { type CommitNote, type History, noteAnswer } from './history.js';

const accountNames = Array.from({ length: 8 }, (_, index) => `account-${index}`);
const counterNames = ['counter-0', 'counter-1'];
const startBalance = 100;
const feedLimit = 7;

/** What every reader of the accounts has to find. */
export const totalBalance = accountNames.length * startBalance;

interface Item {
  collection: string;
  key: string;
  version: number;
  data: { value: number };
}

/** An instance that may be away at this moment. */
export interface Target {
  url: string;
}

interface Answer {
  status: number;
  revision: number;
  headers: Headers;
  body: unknown;
}

/** Makes the collection and its records; the load goes on from there. */
export async function prepare(target: Target): Promise<void> {
  await fetch(`${target.url}/v1/collections/ledger`, { method: 'PUT', headers: json, body: '{}' });
  const changes = [...accountNames, ...counterNames].map((key) => ({
    collection: 'ledger',
    key,
    operation: 'put',
    data: { value: key.startsWith('account') ? startBalance : 0 },
  }));
  const response = await fetch(`${target.url}/v1/commits`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ changes }),
  });
  if (!response.ok) throw new Error(await response.text());
}

const json = { 'Content-Type': 'application/json' };
const records = '/v1/collections/ledger/records';

/** One client: transfers, counts and reads, each on an instance picked anew, until it is told to stop. */
export async function runClient(
  targets: Target[],
  history: History,
  random: Random,
  isOver: () => boolean,
): Promise<void> {
  const tags = new Map<string, string>();
  while (!isOver()) {
    const step = random.next();
    if (step < 0.25) await transfer(targets, history, random);
    else if (step < 0.4) await count(targets, history, random);
    else if (step < 0.8) await readRecord(targets, history, random, tags);
    else await readAccounts(random.pick(targets), history);
  }
}

/** Null when the connection broke, the service was not ready, or the answer is one that it should not give. */
async function call(
  target: Target,
  history: History,
  path: string,
  init: RequestInit = {},
): Promise<Answer | null> {
  try {
    const response = await fetch(`${target.url}${path}`, init);
    const text = await response.text();
    if (response.status === 503) return null;
    const revision = Number(response.headers.get('Diptych-Revision') ?? Number.NaN);
    const { status, headers } = response;
    if (![200, 304, 409].includes(status)) {
      history.unexpected.push(`${path} was answered with ${status}: ${text}`);
      return null;
    }
    return { status, revision, headers, body: text === '' ? null : JSON.parse(text) };
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return null;
    throw error;
  }
}

async function readRecord(
  targets: Target[],
  history: History,
  random: Random,
  tags: Map<string, string>,
): Promise<void> {
  const key = random.pick([...accountNames, ...counterNames]);
  const tag = random.chance(0.5) ? tags.get(key) : undefined;
  const floor = history.known;
  const headers = tag === undefined ? {} : { 'If-None-Match': tag };
  const answer = await call(random.pick(targets), history, `${records}/${key}`, { headers });
  if (answer === null) return;
  if (answer.status === 304) {
    noteAnswer(history, { floor, revision: answer.revision, items: [], tags: [{ key, tag: tag ?? '' }] });
    return;
  }
  const item = answer.body as Item;
  tags.set(key, answer.headers.get('ETag') ?? '');
  noteAnswer(history, { floor, revision: answer.revision, items: [itemOf(item)], tags: [] });
}

const itemOf = ({ key, version, data }: Item) => ({ key, version, value: data.value });

/** All accounts, in three pages; null when an instance went away in between. */
async function readAccounts(target: Target, history: History): Promise<Item[] | null> {
  const items: Item[] = [];
  const floor = history.known;
  for (let path = `${records}?keyPrefix=account&limit=3`; ; ) {
    const answer = await call(target, history, path);
    if (answer === null) return null;
    const page = answer.body as { items: Item[]; next: string | null; revision: number };
    items.push(...page.items);
    noteAnswer(history, { floor, revision: page.revision, items: page.items.map(itemOf), tags: [] });
    if (page.next === null) break;
    path = `${records}?keyPrefix=account&limit=3&cursor=${encodeURIComponent(page.next)}`;
  }
  history.sums.push(items.reduce((sum, { data }) => sum + data.value, 0));
  return items;
}

async function transfer(targets: Target[], history: History, random: Random): Promise<void> {
  const items = await readAccounts(random.pick(targets), history);
  if (items === null) return;
  const [from, to] = [random.pick(items), random.pick(items)];
  if (from.key === to.key) return;
  const amount = 1 + random.below(9);
  await commit(random.pick(targets), history, [
    { ...from, value: from.data.value - amount },
    { ...to, value: to.data.value + amount },
  ]);
}

async function count(targets: Target[], history: History, random: Random): Promise<void> {
  const answer = await call(random.pick(targets), history, `${records}/${random.pick(counterNames)}`);
  if (answer === null) return;
  const item = answer.body as Item;
  await commit(random.pick(targets), history, [{ ...item, value: item.data.value + 1 }]);
}

async function commit(
  target: Target,
  history: History,
  changes: { key: string; version: number; value: number }[],
): Promise<void> {
  const note: CommitNote = {
    idempotencyKey: randomUUID(),
    changes: changes.map(({ key, value }) => ({ key, value })),
    revision: null,
    refused: false,
  };
  history.commits.push(note);
  const floor = history.known;
  const answer = await call(target, history, '/v1/commits', {
    method: 'POST',
    headers: { ...json, 'Idempotency-Key': note.idempotencyKey },
    body: JSON.stringify({
      changes: changes.map(({ key, version, value }) => ({
        collection: 'ledger',
        key,
        operation: 'put',
        ifVersion: version,
        data: { value },
      })),
    }),
  });
  if (answer === null) return;
  if (answer.status === 200) {
    note.revision = answer.revision;
    noteAnswer(history, { floor, revision: answer.revision, items: [], tags: [] });
  } else {
    note.refused = true;
  }
}

/** Asks for each commit whose outcome is unknown. */
export async function settle(target: Target, history: History): Promise<number> {
  const open = history.commits.filter(({ revision, refused }) => revision === null && !refused);
  for (const note of open) {
    const answer = await call(target, history, `/v1/commits?idempotencyKey=${note.idempotencyKey}`);
    if (answer?.status !== 200) throw new Error('an outcome that cannot be asked for');
    const { items } = answer.body as { items: { revision: number }[] };
    note.revision = items[0]?.revision ?? null;
  }
  return open.length;
}

/** Follows the feed from its beginning, a few changes at a time, until it is told that nothing more comes. */
export async function follow(
  targets: Target[],
  history: History,
  random: Random,
  isOver: () => boolean,
  signal?: AbortSignal,
) {
  for (let after = '0'; ; ) {
    const wasOver = isOver();
    const answer = await call(random.pick(targets), history, `/v1/changes?after=${after}&limit=${feedLimit}`);
    if (signal?.aborted) return;
    if (answer === null) continue;
    const page = answer.body as { changes: { revision: number; ordinal: number }[]; next: string };
    history.feed.push(...page.changes.map(({ revision, ordinal }) => `${revision}.${ordinal}`));
    after = page.next;
    if (wasOver && page.changes.length === 0) return;
  }
}
