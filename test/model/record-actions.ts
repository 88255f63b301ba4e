import { exchange, someChange, succession } from './changes.js';
import { randomData, randomPatch } from './data.js';
import type { Action, Kind, Resolutions } from './operations.js';
import { conflictsOf } from './rebases.js';
import {
  anyPlace,
  knownRecord,
  pendingPlace,
  type Scene,
  sawPending,
  seeingPending,
  someKey,
  someMessage,
  versionOf,
} from './scene.js';
import { type Address, currentNumber, findPending, nameOf, recordAt, type Version } from './state.js';

/** How clients come to their actions on records. */
export const recordActions = {
  'stage-pending': (scene) => {
    const { random } = scene;
    const at = anyPlace(scene);
    const base = random.chance(0.1) ? { base: versionOf(scene, at, 0.7) } : {};
    const fresh = random.chance(0.05) ? { fresh: true as const } : {};
    const data = random.chance(0.15) ? null : randomData(random, at.collection);
    return {
      type: 'stage-pending',
      ...at,
      data,
      ...someMessage(scene),
      ...base,
      ...fresh,
      ...sawPending(scene, at),
    };
  },
  'patch-pending': (scene) => {
    const { random } = scene;
    const at = random.chance(0.5) ? pendingPlace(scene) : { ...anyPlace(scene), ...knownRecord(scene) };
    const saw = random.chance(0.3) ? sawPending(scene, at) : {};
    return { type: 'patch-pending', ...at, patch: randomPatch(random, at.collection), ...saw };
  },
  'discard-pending': (scene) => {
    const at = pendingPlace(scene);
    return { type: 'discard-pending', ...at, ...sawPending(scene, at) };
  },
  'rebase-pending': (scene) => {
    const { random, state } = scene;
    const outdated = state.pendings.filter((pending) => pending.base !== currentNumber(state, pending));
    const isWanted = outdated.length > 0 && random.chance(0.8);
    const { collection, key, changeset } = isWanted ? random.pick(outdated) : pendingPlace(scene);
    const at = { collection, key, changeset };
    const saw = random.chance(0.3) ? sawPending(scene, at) : {};
    return { type: 'rebase-pending', ...at, resolutions: someResolutions(scene, at), ...saw };
  },
  'validate-pending': (scene) => ({
    type: 'validate-pending',
    ...pendingPlace(scene),
    receipt: scene.label('receipt'),
  }),
  'commit-pending': (scene) => {
    const at = pendingPlace(scene, scene.random.chance(0.85));
    return {
      type: 'commit-pending',
      ...at,
      ...seeingPending(scene, at),
      ...someMessage(scene),
      ...someKey(scene),
    };
  },
  'rollback-record': (scene) => {
    const { random, state } = scene;
    const expired = [...state.records.values()].filter(({ versions }) => versions.some(isDeleted));
    const isWanted = expired.length > 0 && random.chance(0.8);
    const older = [...state.records.values()].filter(
      ({ versions, current }) => versions.length > (current === null ? 0 : 1),
    );
    const isOlder = older.length > 0 && random.chance(0.7);
    const { collection, key } = isWanted
      ? random.pick(expired)
      : isOlder
        ? random.pick(older)
        : knownRecord(scene);
    const at = { collection, key };
    const record = recordAt(state, at);
    const ifRevision = random.chance(0.2) ? { ifRevision: (record?.revision ?? 1) - random.below(2) } : {};
    const most = (record?.versions.length ?? 1) + (random.chance(0.1) ? 1 : 0);
    const force = random.chance(0.25);
    const toVersion = isWanted ? 1 + (record?.versions.findIndex(isDeleted) ?? 0) : 1 + random.below(most);
    // The current one is asked for often enough.
    const other = toVersion === record?.current && random.chance(0.7) ? (toVersion % most) + 1 : toVersion;
    return {
      type: 'rollback-record',
      ...at,
      toVersion: other,
      force,
      ...ifRevision,
      ...someKey(scene),
    };
  },
  'commit-changes': (scene) => {
    const { random } = scene;
    const sort = random.next();
    const changes =
      sort < 0.12
        ? exchange(scene)
        : sort < 0.22
          ? succession(scene)
          : Array.from({ length: 1 + random.below(3) }, () => someChange(scene));
    const distinct = [...new Map(changes.map((change) => [nameOf(change), change])).values()];
    const dryRun = random.chance(0.15);
    const key = dryRun ? {} : someKey(scene);
    return {
      type: 'commit-changes',
      changes: random.chance(0.05) ? changes : distinct,
      dryRun,
      ...someMessage(scene),
      ...key,
    };
  },
  'revert-commit': (scene) => {
    const { random, state } = scene;
    const moving = state.log.filter(({ changes }) => changes.length > 0).slice(-6);
    const newest = random.chance(0.5) ? moving.slice(-2) : moving;
    const wild = random.chance(0.5) ? 1 : state.log.length + 1;
    const revision = newest.length === 0 || random.chance(0.08) ? wild : random.pick(newest).revision;
    const dryRun = random.chance(0.15);
    return {
      type: 'revert-commit',
      revision,
      dryRun,
      force: random.chance(0.2),
      ...(dryRun ? {} : someKey(scene)),
    };
  },
} satisfies { [K in Kind]?: (scene: Scene) => Action };

const isDeleted = ({ left }: Version) => left === 'deleted';

/** Settles some or all of the conflicts, and sometimes what is none. */
export function someResolutions(
  { random, state }: Scene,
  at: Address & { changeset: string | null },
): Resolutions {
  const pending = findPending(state, at, at.changeset);
  if (pending === undefined || random.chance(0.3)) return {};
  const settled = conflictsOf(state, pending).filter(() => random.chance(0.9));
  const stray = random.chance(0.15) ? ['/pinned'] : [];
  return Object.fromEntries(
    [...settled, ...stray].map((pointer) => {
      const values = pointer === '' ? [] : [{ value: random.pick([1, 2, 3]) }];
      return [pointer, random.pick(['pending' as const, 'current' as const, ...values])];
    }),
  );
}
