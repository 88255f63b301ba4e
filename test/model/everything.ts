import { exportRecords } from '../../src/queries/export-records.js';
import { getVersion } from '../../src/queries/get-version.js';
import { listCommits } from '../../src/queries/list-commits.js';
import { listDefinitions } from '../../src/queries/list-definitions.js';
import { listVersions } from '../../src/queries/list-versions.js';
import { auditStore } from '../support/audit.js';
import { readViews } from '../support/feed.js';
import { withOperation } from './publish.js';
import { contextOf, type Service, titleOf } from './service.js';
import { nameOf, type Seen, type State, versionData } from './state.js';
import { differences, line, toSeen } from './views.js';

/** Holds all that a store remembers against the model: every revision, every version, the log and the feed. */
export async function checkEverything(service: Service, state: State, instance: number): Promise<string[]> {
  return [
    ...(await checkHistory(service, state, instance)),
    ...(await checkVersions(service, state, instance)),
    ...(await checkLog(service, state, instance)),
    ...(await checkFeed(service, state, instance)),
    ...(await checkExports(service, state, instance)),
    ...(await auditStore(contextOf(service, instance).db)),
  ];
}

/** What readers saw at each revision; below the horizon of a collection they are told so. */
async function checkHistory(service: Service, state: State, instance: number): Promise<string[]> {
  const context = contextOf(service, instance);
  const read = async (collection: string, revision: number): Promise<string[]> => {
    const all = { collection, filters: [], sort: [], limit: 1_000 };
    const at = { type: 'revision' as const, revision };
    const listed = await orRefusal(service.doors.listRecords(context, { ...all, at }));
    if (typeof listed === 'string') return [`${collection} at ${revision}: ${listed}`];
    return listed.page.items.map((record) => line(`at ${revision}`, toSeen(record)));
  };
  const wrong: string[] = [];
  for (const [revision, expected] of state.history.entries()) {
    const collections = [...state.collections.values()];
    const found = await Promise.all(collections.map(({ name }) => read(name, revision)));
    const wanted = collections.flatMap(({ name, horizon }) =>
      revision < horizon
        ? [`${name} at ${revision}: revision-compacted`]
        : expected.filter((seen) => seen.collection === name).map((seen) => line(`at ${revision}`, seen)),
    );
    wrong.push(...differences(wanted.sort(), found.flat().sort()));
  }
  return wrong;
}

/** What came of it, or the code of the refusal. */
async function orRefusal<T>(answer: Promise<T>): Promise<T | string> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.name === 'DiptychError' && 'code' in error) return String(error.code);
    throw error;
  }
}

async function checkVersions(service: Service, state: State, instance: number): Promise<string[]> {
  const context = contextOf(service, instance);
  const expected: string[] = [];
  const found: string[] = [];
  for (const { collection, key, versions, current } of state.records.values()) {
    if (!state.collections.get(collection)?.inForce) continue;
    const at = { collection, key };
    for (const [index, { data, revisions, left }] of versions.entries()) {
      const author = state.log[(revisions[0] ?? 0) - 1]?.author;
      const version = index + 1;
      const is = { version, revisions, left, current: current === version, author };
      expected.push(line(nameOf(at), { ...is, data: left === 'deleted' ? 'version-expired' : data }));
    }
    const { page } = await listVersions(context, { ...at, limit: 1_000 });
    for (const {
      version,
      revisions,
      current: isCurrent,
      committedBy,
      digest,
      ...summary
    } of page.items.reverse()) {
      const left = summary.deleted ? 'deleted' : summary.archived ? 'archived' : 'kept';
      const whole = await orRefusal(getVersion(context, { ...at, version }));
      if (typeof whole !== 'string' && whole.version.digest !== digest)
        found.push(`the digests of ${nameOf(at)} ${version} differ`);
      const data = typeof whole === 'string' ? whole : whole.version.data;
      found.push(
        line(nameOf(at), { version, revisions, left, current: isCurrent, author: committedBy, data }),
      );
    }
  }
  return differences(expected, found);
}

async function checkLog(service: Service, state: State, instance: number): Promise<string[]> {
  const { page } = await listCommits(contextOf(service, instance), { limit: 1_000 });
  const found = page.items.map((commit) => {
    const { revision, kind, author, message, changeset, reverts, forced, definition, changes } = commit;
    const numbered = definition && { collection: definition.collection, number: definition.number };
    return line('commit', {
      ...{ revision, kind, author, message, reverts, forced, changes },
      changeset: titleOf(service, changeset),
      definition: numbered,
    });
  });
  const expected = state.log.map((commit) =>
    line('commit', { ...commit, changes: commit.changes.map(withOperation) }),
  );
  return differences(expected.reverse(), found);
}

/** The feed from the horizon on, in pages, tells the same changes; replayed, they lead to what is live. */
async function checkFeed(service: Service, state: State, instance: number): Promise<string[]> {
  const context = contextOf(service, instance);
  const horizon = Math.max(0, ...[...state.collections.values()].map((collection) => collection.horizon));
  const page = (after: string) => readViews(context, { after, limit: 5 });
  const before = horizon === 0 ? 'position-expired' : await orRefusal(page(String(horizon - 1)));
  const found: string[] = before === 'position-expired' ? [] : ['changes below the horizon are told of'];
  const live = new Map((state.history[horizon] ?? []).map((seen) => [nameOf(seen), showLive(seen)]));
  for (let after = String(horizon); ; ) {
    const { changes, next } = await page(after);
    if (changes.length === 0) break;
    for (const { revision, ordinal, operation, collection, key, before: from, after: to } of changes) {
      found.push(line('change', { revision, ordinal, operation, collection, key, before: from, after: to }));
      if (to === null) live.delete(nameOf({ collection, key }));
      else live.set(nameOf({ collection, key }), showLive({ ...to, revision }));
    }
    after = next;
  }
  const expected = state.log.slice(horizon).flatMap(({ revision, changes }) =>
    changes.map((change, index) => {
      const { before: from, after: to, ...rest } = withOperation(change);
      const side = (version: number | null) =>
        version && { version, data: versionData(state, change, version) };
      return line('change', { revision, ordinal: index + 1, ...rest, before: side(from), after: side(to) });
    }),
  );
  const seen = (state.history.at(-1) ?? []).map(showLive);
  return [...differences(expected, found), ...differences(seen.sort(), [...live.values()].sort())];
}

const showLive = ({ version, data, revision }: Pick<Seen, 'version' | 'data' | 'revision'>) =>
  line('live', { version, data, revision });

/** An export tells what the list tells, as lines that can be staged; and every definition there was has its number. */
async function checkExports(service: Service, state: State, instance: number): Promise<string[]> {
  const context = contextOf(service, instance);
  const expected: string[] = [];
  const found: string[] = [];
  for (const { name: collection, number, inForce } of state.collections.values()) {
    if (!inForce) continue;
    const live = (state.history.at(-1) ?? []).filter((seen) => seen.collection === collection);
    expected.push(...live.map(({ key, data }) => line('line', { collection, key, operation: 'put', data })));
    const at = { type: 'head' as const };
    const { text } = await exportRecords(context, {
      collection,
      filters: [],
      sort: [],
      at,
      changeset: undefined,
    });
    for await (const lines of text)
      found.push(
        ...lines
          .trim()
          .split('\n')
          .map((each) => line('line', JSON.parse(each))),
      );
    expected.push(
      line(
        'definitions',
        Array.from({ length: number }, (_, index) => number - index),
      ),
    );
    const { page } = await listDefinitions(context, { collection, limit: 1_000 });
    found.push(
      line(
        'definitions',
        page.items.map((definition) => definition.number),
      ),
    );
  }
  return differences(expected, found);
}
