import type { Executor } from '../../src/store/db.js';

/** One answer that shows a state. */
export interface Reading {
  /** The newest revision that anybody had been told of before the question was asked. */
  floor: number;
  /** The revision that the answer claims to show. */
  revision: number;
  items: { key: string; version: number; value: number }[];
  /** What was said to be unchanged. */
  tags: { key: string; tag: string }[];
}

export interface CommitNote {
  idempotencyKey: string;
  changes: { key: string; value: number }[];
  /** Null while it is not acknowledged. */
  revision: number | null;
  refused: boolean;
}

/** Everything that the clients were told, by all of them together. */
export interface History {
  /** The newest revision that any of them has been told of. */
  known: number;
  readings: Reading[];
  commits: CommitNote[];
  /** What the accounts held, by each reading of them all. */
  sums: number[];
  /** Positions of the feed in the order of their arrival. */
  feed: string[];
  /** Answers that no question here should get. */
  unexpected: string[];
  /** Called after each answer. */
  onReading: () => void;
}

export const emptyHistory = (): History => ({
  known: 0,
  readings: [],
  commits: [],
  sums: [],
  feed: [],
  unexpected: [],
  onReading: () => {},
});

export function noteAnswer(history: History, reading: Reading): void {
  history.known = Math.max(history.known, reading.revision);
  history.readings.push(reading);
  history.onReading();
}

interface State {
  revision: number;
  version: number | null;
  value: number | null;
  digest: string | null;
}

/**
 * Holds what the clients were told against the log. Commits are totally ordered by their revision, so that a history
 * is linearizable exactly when each answer shows the state of one revision, whole, and that revision is not older
 * than what anybody had been told before the question was asked (Herlihy and Wing, 1990).
 *
 * @param total what the accounts hold together
 * @returns what is wrong; nothing is a sound history
 */
export async function findViolations(db: Executor, history: History, total: number): Promise<string[]> {
  const states = await readStates(db);
  const log = await db.query<{ position: string }>(
    `SELECT revision || '.' || ordinal AS position FROM change ORDER BY revision, ordinal`,
  );
  const positions = log.map(({ position }) => position);
  return [
    ...history.unexpected,
    ...history.readings.flatMap((reading) => judgeReading(reading, states)),
    ...history.sums.flatMap((sum) => (sum === total ? [] : [`the accounts were seen to hold ${sum}`])),
    ...history.commits.flatMap((note) => judgeCommit(note, states)),
    ...judgeCounters(history, states),
    ...(JSON.stringify(history.feed) === JSON.stringify(positions) ? [] : ['the feed is not the log']),
  ];
}

async function readStates(db: Executor): Promise<Map<string, State[]>> {
  const rows = await db.query<State & { key: string }>(
    `SELECT r.key, h.revision, v.number AS version, (v.content::jsonb ->> 'value')::float8 AS value, encode(v.digest, 'hex') AS digest
     FROM change h JOIN record r ON r.id = h.record_id LEFT JOIN version v ON v.id = h.after_version_id
     ORDER BY h.revision`,
  );
  const states = new Map<string, State[]>();
  for (const { key, ...state } of rows) states.set(key, [...(states.get(key) ?? []), state]);
  return states;
}

const stateAt = (states: Map<string, State[]>, key: string, revision: number) =>
  states.get(key)?.findLast((state) => state.revision <= revision);

function judgeReading({ floor, revision, items, tags }: Reading, states: Map<string, State[]>): string[] {
  const wrong = revision < floor ? [`revision ${revision} was shown after ${floor} had been told of`] : [];
  for (const { key, version, value } of items) {
    const state = stateAt(states, key, revision);
    if (state?.version !== version || state.value !== value)
      wrong.push(
        `${key} at ${revision} was shown as ${version}: ${value}, and is ${state?.version}: ${state?.value}`,
      );
  }
  for (const { key, tag } of tags) {
    const state = stateAt(states, key, revision);
    if (tag !== `"r${state?.revision}.${state?.digest?.slice(0, 16)}"`)
      wrong.push(`${key} at ${revision} was said to be ${tag} still`);
  }
  return wrong;
}

function judgeCommit({ changes, revision, refused }: CommitNote, states: Map<string, State[]>): string[] {
  if (revision === null) return [];
  return changes.flatMap(({ key, value }) => {
    const state = stateAt(states, key, revision);
    const isThere = !refused && state?.revision === revision && state.value === value;
    return isThere ? [] : [`${key} = ${value} was acknowledged as ${revision}, and is not there`];
  });
}

/** Every acknowledged increment counts, and nothing else. */
function judgeCounters(history: History, states: Map<string, State[]>): string[] {
  return ['counter-0', 'counter-1'].flatMap((key) => {
    const done = history.commits.filter(
      ({ revision, changes }) => revision !== null && changes.some((change) => change.key === key),
    ).length;
    const last = states.get(key)?.at(-1)?.value;
    return last === done ? [] : [`${key} is ${last} after ${done} increments`];
  });
}
