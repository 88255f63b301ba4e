import { type Committed, newIdempotencyKey } from '../client.js';
import { differenceOf, digestOf } from '../content.js';
import { readAll, readPages, snapshotOf } from '../reader.js';
import type { Release } from './releases.js';
import type { LoadedRelease, Stage } from './stage.js';

/** So many snapshots of each state must be read, or the reader has proved nothing. */
const SNAPSHOTS_PER_RELEASE = 3;

/** Reads what is there, works out what differs, rehearses, and commits all of it in one revision. */
export async function loadRelease(stage: Stage, release: Release): Promise<LoadedRelease> {
  const { api, screen, claims, collection, timeline, watcher } = stage;
  const bar = screen.bar(4 + SNAPSHOTS_PER_RELEASE);

  bar.update(0, 'reading what is there');
  const list = await readAll(readPages(api, collection));
  const live = new Map(list.items.map(({ key, data }) => [key, data] as const));
  const versions = new Map(list.items.map(({ key, version }) => [key, version] as const));
  const difference = differenceOf(live, release.licences);
  const changes = [
    ...[...difference.added, ...difference.changed].map((key) => ({
      collection,
      key,
      operation: 'put',
      data: release.licences.get(key),
      // 0 says that nobody may have created it in the meantime.
      ifVersion: versions.get(key) ?? 0,
    })),
    ...difference.removed.map((key) => ({
      collection,
      key,
      operation: 'delete',
      ifVersion: versions.get(key),
    })),
  ];
  const body = { message: `SPDX licence list ${release.name}`, changes };

  bar.update(1, `rehearsing ${changes.length} changes`);
  const rehearsal = await timed(() =>
    api.call<Committed>('POST', '/v1/commits', { body: { ...body, dryRun: true } }),
  );
  const untouched = snapshotOf(await readAll(readPages(api, collection)));

  bar.update(2, `committing ${changes.length} changes`);
  const halfway = Math.ceil(live.size / 2);
  const slowReader = await openSlowly(stage, halfway);
  const headers = { 'Idempotency-Key': newIdempotencyKey() };
  const commit = await timed(() => api.call<Committed>('POST', '/v1/commits', { body, headers }));
  const { revision, changeCount } = commit.answer.body;
  const previous = timeline.last;
  const era = timeline.add({
    name: `release ${release.name}`,
    revision,
    state: release.licences,
    changeCount,
  });
  const slow = await slowReader.finish();
  const repeat = await api.call<Committed>('POST', '/v1/commits', { body, headers });

  await watcher.waitFor(revision, SNAPSHOTS_PER_RELEASE, (seen) =>
    bar.update(4 + seen, `the reader has read it ${seen} times`),
  );
  bar.done();

  const { added, removed, changed } = difference;
  claims.equal(
    rehearsal.answer.body.changeCount,
    changes.length,
    `Rehearsed: ${changes.length} changes pass schema and rules`,
  );
  claims.check(timeline.explains(untouched) && previous.revision < revision, 'The rehearsal changed nothing');
  claims.equal(
    countOperations(commit.answer.body),
    { create: added.length, update: changed.length, delete: removed.length },
    `Committed in one revision, ${revision}: ${added.length} new, ${changed.length} changed, ${removed.length} gone`,
  );
  claims.check(
    repeat.headers.get('Idempotency-Replayed') === 'true' && repeat.body.revision === revision,
    'The same request sent again gave the same answer and changed nothing',
  );
  if (live.size > 0) {
    claims.equal(
      timeline.at(slow.chain.revision)?.name,
      previous.name,
      'A reader in the middle of the list when the commit came read the old list to its end',
    );
    claims.check(timeline.explains(slow.chain), 'and not one character of the new one');
    claims.check(
      !timeline.knows(slow.mixture),
      'Had it not held on to its revision, it would have read a mixture',
    );
  }
  return { release, difference, era, rehearsalMs: rehearsal.ms, commitMs: commit.ms };
}

/**
 * A reader that has read the first half of the list when the commit comes, and the rest afterwards: once along
 * its cursor chain, and once by asking anew and skipping what it has. The second is the control: it must give
 * a mixture, or the comparison could not tell one.
 */
async function openSlowly({ api, collection }: Stage, halfway: number) {
  const chain = readPages(api, collection, '', Math.max(halfway, 1));
  const first = await chain.next();
  const firstHalf = first.done === true ? [] : [first.value];
  return {
    finish: async () => {
      const read = snapshotOf(await readAll(chain, firstHalf));
      const old = firstHalf.flatMap(({ items }) => items);
      const lastKey = old.at(-1)?.key ?? '';
      const anew = await readAll(readPages(api, collection));
      const rest = anew.items.filter(({ key }) => key > lastKey);
      return {
        chain: read,
        mixture: digestOf([...old, ...rest].map(({ key, data }) => [key, data] as const)),
      };
    },
  };
}

function countOperations({ changes }: Committed): Record<'create' | 'update' | 'delete', number> {
  const count = { create: 0, update: 0, delete: 0 };
  for (const { operation } of changes) {
    count[operation] += 1;
  }
  return count;
}

async function timed<Result>(work: () => Promise<Result>): Promise<{ answer: Result; ms: number }> {
  const start = performance.now();
  const answer = await work();
  return { answer, ms: performance.now() - start };
}
