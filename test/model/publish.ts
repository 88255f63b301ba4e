import { isMoveAllowed, isWhole, type Move } from './judge.js';
import type { Laws } from './laws.js';
import {
  type Change,
  type Commit,
  currentNumber,
  nameOf,
  type Pending,
  Refusal,
  recordAt,
  requireCollection,
  type Seen,
  type State,
  versionData,
} from './state.js';

/** What is to become one commit. */
export interface Request {
  kind: 'commit' | 'rollback' | 'revert';
  author: string;
  message: string | null;
  changeset?: string;
  reverts?: number;
  dryRun?: boolean;
  forced?: boolean;
  /** Whether it comes with a receipt. */
  validated?: boolean;
  approvers?: number;
  moves: Move[];
  /** Pending versions that it uses up. */
  consumes?: Pending[];
  /** What stands against it already. */
  refusals?: string[];
}

/** What has to be mended first comes first. */
const precedence = [
  'collection-not-found',
  'record-not-found',
  'record-deleted',
  'version-conflict',
  'revert-conflict',
  'base-outdated',
  'patch-test-failed',
  'patch-impossible',
];

const rank = (code: string) => (precedence.indexOf(code) + precedence.length + 1) % (precedence.length + 1);

/** Judges a commit and, if it holds, makes it. Answers what the service does. */
export function publish(state: State, laws: Laws, request: Request): unknown {
  const { moves, forced = false, approvers = 0, validated = false, dryRun = false } = request;
  const refusals = [...(request.refusals ?? [])];
  const isApproved = ({ collection }: Move) =>
    requireCollection(state, collection).rules.approvals <= approvers;
  if (!forced && !moves.every(isApproved)) refusals.push('approval-required');
  const whole = isWhole(state, laws, moves);
  if (!whole || !(forced || moves.every((move) => isMoveAllowed(state, move))))
    refusals.push(validated && !whole ? 'receipt-stale' : 'validation-failed');
  const [first] = refusals.sort((a, b) => rank(a) - rank(b));
  if (first !== undefined) throw new Refusal(first, true);

  const unchanged = moves.length === 0;
  const head = state.log.length;
  const rehearsal = dryRun && laws.dryRunWritesNothing;
  const changes = moves.map((move) => changeOf(state, move));
  if (!rehearsal) {
    const consumed = new Set(request.consumes);
    state.pendings = state.pendings.filter((pending) => !consumed.has(pending));
    if (!unchanged || !laws.unchangedMakesNoRevision) append(state, request, changes);
    const changeset = request.changeset === undefined ? undefined : state.changesets.get(request.changeset);
    if (changeset) {
      Object.assign(changeset, { state: 'committed', closedBy: request.author, scheduledBy: null });
      if (!unchanged) changeset.revision = state.log.length;
    }
  }
  return {
    revision: unchanged ? head : head + 1,
    kind: request.kind,
    changeCount: changes.length,
    changes: changes.map(withOperation),
    unchanged,
    ...(dryRun ? { dryRun } : {}),
  };
}

/** The numbers that a move leads from and to. */
function changeOf(state: State, move: Move): Change {
  const { collection, key, to } = move;
  const last = recordAt(state, move)?.versions.length ?? 0;
  const after = to === null ? null : 'data' in to ? last + 1 : to.number;
  return { collection, key, before: currentNumber(state, move), after };
}

export const withOperation = (change: Change) => ({
  ...change,
  operation: change.before === null ? 'create' : change.after === null ? 'delete' : 'update',
});

function append(state: State, request: Request, changes: Change[]): void {
  const revision = state.log.length + 1;
  for (const [index, { collection, key, after }] of changes.entries()) {
    const move = request.moves[index];
    const record = recordAt(state, { collection, key }) ?? {
      collection,
      key,
      versions: [],
      current: null,
      revision,
    };
    if (move?.to && 'data' in move.to)
      record.versions.push({ data: move.to.data, revisions: [], left: 'kept' });
    const version = after === null ? undefined : record.versions[after - 1];
    version?.revisions.push(revision);
    if (version) version.left = 'kept';
    record.current = after;
    record.revision = revision;
    state.records.set(nameOf(record), record);
  }
  log(state, {
    kind: request.kind,
    author: request.author,
    message: request.message ?? request.moves.find((move) => move.message !== null)?.message ?? null,
    changeset: request.changeset ?? null,
    reverts: request.reverts ?? null,
    forced: (request.forced ?? false) && changes.length > 0,
    definition: null,
    changes,
  });
}

/** Adds an entry to the log, and keeps what readers see from there on. */
export function log(state: State, entry: Omit<Commit, 'revision'>): void {
  state.log.push({ revision: state.log.length + 1, ...entry });
  state.history.push(
    [...state.records.values()]
      .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
      .flatMap((record): Seen[] => {
        const { collection, key, current, revision } = record;
        const data = versionData(state, record, current);
        const commit = state.log[revision - 1];
        if (current === null || data === null || commit === undefined) return [];
        return [
          {
            collection,
            key,
            version: current,
            revision,
            data,
            committedBy: commit.author,
            message: commit.message,
          },
        ];
      }),
  );
}
