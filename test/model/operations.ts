import type { JsonValue } from '../../src/lib/json-value.js';
import type { Rules } from './rules.js';
import type { Address, Data } from './state.js';

/** Who calls. */
export interface Client {
  name: string;
  admin: boolean;
  anonymous?: true;
}

/** What a caller says it saw: whatever is there, or that very state. Stamps of states that are gone are stale. */
export type Saw = 'any' | { stamp: string };

/** What a caller of a commit says it saw. */
interface Seeing {
  saw?: Saw;
  /** The name of a receipt. */
  receipt?: string;
}

interface Keyed {
  idempotencyKey?: string;
}

export type Patch =
  | { merge: Data | 'delete' | 'upsert' }
  /** Tests `price`, and replaces it. */
  | { test: number; price: number }
  /** Adds one to the array `related`. */
  | { relate: string };

/** By the pointer of the conflict that each settles: `/price`, or the empty one for the whole. */
export type Resolutions = { [pointer: string]: 'pending' | 'current' | { value: JsonValue } };

export type Change = Address & { ifVersion?: number } & (
    | { operation: 'put'; data: Data }
    | { operation: 'merge'; patch: Data }
    | { operation: 'patch'; patch: Exclude<Patch, { merge: unknown }> }
    | { operation: 'delete' }
  );

interface At extends Address {
  changeset: string | null;
}

/** Everything that a client may do. Each kind has the name of its operation in the service. */
export type Action =
  | ({
      type: 'stage-pending';
      data: Data | null;
      message?: string;
      base?: number | null;
      saw?: Saw;
      fresh?: true;
    } & At)
  | ({ type: 'patch-pending'; patch: Patch; saw?: Saw } & At)
  | ({ type: 'discard-pending'; saw?: Saw } & At)
  | ({ type: 'rebase-pending'; resolutions: Resolutions; saw?: Saw } & At)
  | ({ type: 'validate-pending'; receipt: string } & At)
  | ({ type: 'commit-pending'; message?: string } & At & Seeing & Keyed)
  /** `ifRevision`: the record last changed then, which is what its entity tag says. */
  | ({ type: 'rollback-record'; toVersion: number; force: boolean; ifRevision?: number } & Address & Keyed)
  | ({ type: 'commit-changes'; changes: Change[]; dryRun: boolean; message?: string } & Keyed)
  | ({ type: 'revert-commit'; revision: number; dryRun: boolean; force: boolean } & Keyed)
  | { type: 'create-changeset'; title: string }
  | { type: 'validate-changeset'; title: string; receipt: string }
  | ({ type: 'commit-changeset'; title: string; message?: string } & Seeing & Keyed)
  | {
      type: 'rebase-changeset';
      title: string;
      members: (Address & { resolutions: Resolutions })[];
      saw?: Saw;
    }
  | { type: 'approve-changeset'; title: string; saw?: Saw }
  | { type: 'discard-changeset'; title: string; saw?: Saw }
  | ({ type: 'schedule-changeset'; title: string; past?: true } & Seeing)
  | { type: 'unschedule-changeset'; title: string }
  /** The moment of its schedule comes, and every instance looks what is due. */
  | { type: 'commit-scheduled'; title: string }
  | { type: 'stage-lines'; title: string; lines: (Change & { message?: string })[]; saw?: Saw }
  /** What a definition would do; nothing is saved. */
  | { type: 'rehearse-definition'; collection: string; rules: Rules }
  | { type: 'run-retention'; collection: string; dryRun: boolean }
  /** `number`: of the definition that the caller saw. */
  | { type: 'put-collection'; collection: string; rules: Rules; saw?: 'any' | { number: number } }
  | { type: 'delete-collection'; collection: string; saw?: { number: number } };

export type Operation = Action & {
  by: Client;
  /** Which instance of the service takes it. */
  instance: number;
};
export type Kind = Operation['type'];
export type Of<K extends Kind> = Extract<Operation, { type: K }>;
