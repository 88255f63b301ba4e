import type { Random } from '../support/random.js';
import { exchange } from './changes.js';
import { changesetActions } from './changeset-actions.js';
import { collectionActions } from './collection-actions.js';
import { randomRules } from './data.js';
import type { Action, Client, Kind, Operation } from './operations.js';
import { recordActions } from './record-actions.js';
import { noRules } from './rules.js';
import { admin, clients, type Memory, type Scene } from './scene.js';
import { findPending, membersOf, type State } from './state.js';

const actions: { [K in Kind]: (scene: Scene) => Action } = {
  ...recordActions,
  ...changesetActions,
  ...collectionActions,
};

const weights: { [K in Kind]: number } = {
  'stage-pending': 22,
  'patch-pending': 9,
  'discard-pending': 4,
  'rebase-pending': 5,
  'validate-pending': 6,
  'commit-pending': 12,
  'rollback-record': 9,
  'commit-changes': 24,
  'revert-commit': 8,
  'create-changeset': 3,
  'validate-changeset': 7,
  'commit-changeset': 10,
  'rebase-changeset': 5,
  'approve-changeset': 7,
  'discard-changeset': 3,
  'schedule-changeset': 3,
  'unschedule-changeset': 2,
  'commit-scheduled': 5,
  'stage-lines': 6,
  'rehearse-definition': 2,
  'run-retention': 7,
  'put-collection': 7,
  'delete-collection': 3,
};
const bag = (Object.keys(weights) as Kind[]).flatMap((kind) =>
  Array.from({ length: weights[kind] }, () => kind),
);

/** Operations that are sent at the same time, at most. */
const mostAtOnce = 3;

/** Generates what clients do, from what they see (the state) and remember. */
export class Generator {
  #count = 0;
  /** What comes next. */
  #planned: Operation[] = [];

  constructor(
    readonly random: Random,
    readonly instances: number,
  ) {}

  /** The operations that every run starts with: goods and makers come to refer to each other. */
  start(): Operation[] {
    const rules = (collection: 'goods' | 'makers' | 'sealed', others: string[]) =>
      randomRules(this.random, collection, others);
    const definitions = [
      { collection: 'makers', rules: noRules },
      { collection: 'goods', rules: rules('goods', ['goods', 'makers']) },
      { collection: 'makers', rules: rules('makers', ['goods']), saw: 'any' as const },
      { collection: 'sealed', rules: rules('sealed', ['goods']) },
    ];
    return definitions.map((definition) => ({
      type: 'put-collection',
      ...definition,
      ...this.#by(),
      by: admin,
    }));
  }

  /** What several clients send at once; mostly just one. */
  batch(state: State, memory: Memory): Operation[] {
    const { random } = this;
    const scene = this.#scene(state, memory);
    const planned = this.#planned.splice(0);
    if (planned.length > 0) return planned;
    if (random.chance(0.04)) return this.#stagedExchange(scene);
    if (random.chance(0.04)) return this.#definitionBetween(scene);
    const batch = [this.#next(scene)];
    if (random.chance(0.75)) return batch;
    while (batch.length < mostAtOnce && !random.chance(0.4)) batch.push(this.#next(scene));
    return batch.filter((op, index) => index === 0 || canComeWith(batch.slice(0, index), op));
  }

  #scene(state: State, memory: Memory): Scene {
    const label = (prefix: string) => {
      this.#count += 1;
      return `${prefix}-${this.#count}`;
    };
    return { random: this.random, state, memory, label };
  }

  #next(scene: Scene): Operation {
    const { random, memory, state } = scene;
    const earlier = memory.keyed.length > 0 && random.chance(0.04) ? random.pick(memory.keyed) : undefined;
    const { by, instance } = this.#by();
    if (earlier) return random.chance(0.8) ? { ...earlier, instance } : reused(earlier, instance);
    const action = actions[this.#kind(state)](scene);
    const mayNeedAdmin =
      ('force' in action && action.force) || ['run-retention', 'put-collection'].includes(action.type);
    const isForced = mayNeedAdmin && random.chance(0.7);
    if (action.type === 'approve-changeset' && random.chance(0.45))
      return { ...action, by: outsider(state, action.title) ?? by, instance };
    return { ...action, by: isForced ? admin : by, instance };
  }

  #by(): { by: Client; instance: number } {
    return { by: this.random.pick(clients), instance: this.random.below(this.instances) };
  }

  /** What somebody might want to do here: mostly to something that is there. */
  #kind(state: State): Kind {
    const kind = this.random.pick(bag);
    if (this.random.chance(0.1)) return kind;
    const states = [...state.changesets.values()].map((changeset) => changeset.state);
    const isWaiting = states.includes('open') || states.includes('scheduled');
    if (kind === 'commit-scheduled' || kind === 'unschedule-changeset')
      return states.includes('scheduled') ? kind : isWaiting ? 'schedule-changeset' : 'create-changeset';
    if (kind.endsWith('-changeset')) return isWaiting ? kind : 'create-changeset';
    if (kind === 'revert-commit' || kind === 'rollback-record' || kind === 'patch-pending')
      return state.records.size > 0 ? kind : 'commit-changes';
    if (kind === 'commit-pending') return state.pendings.length > 0 ? kind : 'stage-pending';
    return kind;
  }

  /** Another definition comes into force between a validation and the commit with its receipt. */
  #definitionBetween(scene: Scene): Operation[] {
    const { state, random } = scene;
    const commits = [...state.receipts].flatMap(([receipt, of]): { collection: string; commit: Action }[] => {
      if (of.of === 'pending') {
        const at = { ...of.at, changeset: null };
        const isFresh = findPending(state, at, null)?.stamp === of.stamp;
        return isFresh
          ? [{ collection: at.collection, commit: { type: 'commit-pending', ...at, receipt } }]
          : [];
      }
      const [member] = membersOf(state, of.title);
      const isFresh = state.changesets.get(of.title)?.stamp === of.stamp;
      const commit: Action = { type: 'commit-changeset', title: of.title, receipt };
      return member && isFresh ? [{ collection: member.collection, commit }] : [];
    });
    if (commits.length === 0) return [this.#next(scene)];
    const { collection, commit } = random.pick(commits);
    const rules = state.collections.get(collection)?.rules ?? noRules;
    const retention = rules.retention === null ? { keepVersions: 2, onExpire: 'archive' as const } : null;
    this.#planned = [{ ...commit, ...this.#by() }];
    return [
      {
        type: 'put-collection',
        collection,
        rules: { ...rules, retention },
        saw: 'any',
        ...this.#by(),
        by: admin,
      },
    ];
  }

  /** Two clients stage the halves of an exchange of unique values into one changeset. */
  #stagedExchange(scene: Scene): Operation[] {
    const open = [...scene.state.changesets.values()].filter((changeset) => changeset.state === 'open');
    if (open.length === 0) return [{ ...actions['create-changeset'](scene), ...this.#by() }];
    const { title: changeset } = this.random.pick(open);
    return exchange(scene).flatMap((change) => {
      if (change.operation !== 'merge') return [];
      const { collection, key, patch: merge } = change;
      return [
        { type: 'patch-pending' as const, collection, key, changeset, patch: { merge }, ...this.#by() },
      ];
    });
  }
}

/**
 * Some operations come alone, because what they do beside others is meant not to be as if in some order: a schedule
 * is made due from outside, and making one judges first and schedules then; retention leaves alone what is
 * locked; a stream of lines that finds the changeset edited since it was looked at goes on with what it may. And of
 * two requests with one key at once, one may be told to wait.
 */
function canComeWith(others: Operation[], op: Operation): boolean {
  const isAlone = [op, ...others].some(comesAlone);
  const keyOf = (each: Operation) => ('idempotencyKey' in each ? each.idempotencyKey : undefined);
  return !isAlone && (keyOf(op) === undefined || !others.some((other) => keyOf(other) === keyOf(op)));
}

const comesAlone = (op: Operation) =>
  op.type === 'commit-scheduled' ||
  op.type === 'run-retention' ||
  op.type === 'schedule-changeset' ||
  (op.type === 'stage-lines' && typeof op.saw === 'object');

/** Somebody who has staged nothing of it. */
const outsider = (state: State, title: string): Client | undefined =>
  clients.find(({ name }) => !membersOf(state, title).some(({ stagedBy }) => stagedBy.includes(name)));

/** Another request under a key that was used. */
function reused(earlier: Operation, instance: number): Operation {
  if (earlier.type === 'revert-commit') return { ...earlier, instance, force: false, revision: 1 };
  if (earlier.type === 'rollback-record') return { ...earlier, instance, force: false, toVersion: 1 };
  return { ...earlier, instance, message: 'another request' } as Operation;
}
