import { approveChangeset } from '../../src/commands/approve-changeset.js';
import { commitChanges } from '../../src/commands/commit-changes.js';
import { commitChangeset } from '../../src/commands/commit-changeset.js';
import { commitPending } from '../../src/commands/commit-pending.js';
import { commitScheduled } from '../../src/commands/commit-scheduled.js';
import type { Context } from '../../src/commands/context.js';
import { createChangeset } from '../../src/commands/create-changeset.js';
import { deleteCollection } from '../../src/commands/delete-collection.js';
import { discardChangeset } from '../../src/commands/discard-changeset.js';
import { discardPending } from '../../src/commands/discard-pending.js';
import { patchPending } from '../../src/commands/patch-pending.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { rebaseChangeset } from '../../src/commands/rebase-changeset.js';
import { rebasePending } from '../../src/commands/rebase-pending.js';
import { rehearseDefinition } from '../../src/commands/rehearse-definition.js';
import { revertCommit } from '../../src/commands/revert-commit.js';
import { rollbackRecord } from '../../src/commands/rollback-record.js';
import { runRetention } from '../../src/commands/run-retention.js';
import { scheduleChangeset } from '../../src/commands/schedule-changeset.js';
import { stageLines } from '../../src/commands/stage-lines.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { unscheduleChangeset } from '../../src/commands/unschedule-changeset.js';
import { validateChangeset } from '../../src/commands/validate-changeset.js';
import { validatePending } from '../../src/commands/validate-pending.js';
import { getChangeset } from '../../src/queries/get-changeset.js';
import { getCollection } from '../../src/queries/get-collection.js';
import { getPending } from '../../src/queries/get-pending.js';
import { getRecord } from '../../src/queries/get-record.js';
import { listChangesets } from '../../src/queries/list-changesets.js';
import { listPending } from '../../src/queries/list-pending.js';
import { listRecords } from '../../src/queries/list-records.js';
import { previewRecords } from '../../src/queries/preview-records.js';

/** The commands and queries of the service that a run uses; a planted bug replaces one of them. */
export const doors = {
  approveChangeset,
  commitChanges,
  commitChangeset,
  commitPending,
  commitScheduled,
  createChangeset,
  deleteCollection,
  discardChangeset,
  discardPending,
  getChangeset,
  getCollection,
  getPending,
  getRecord,
  listChangesets,
  listPending,
  listRecords,
  patchPending,
  putCollection,
  rebaseChangeset,
  rebasePending,
  rehearseDefinition,
  previewRecords,
  runRetention,
  stageLines,
  revertCommit,
  rollbackRecord,
  scheduleChangeset,
  stagePending,
  unscheduleChangeset,
  validateChangeset,
  validatePending,
};
export type Doors = typeof doors;

/** The service under test: its instances on one database, and what clients know of it in its own terms. */
export interface Service {
  instances: Context[];
  doors: Doors;
  /** Ids of changesets by their titles. */
  ids: Map<string, string>;
  /** Entity tags by the stamps that the model gives to states, or by collection and number. */
  tags: Map<string, string>;
  /** Receipts by the names that operations give them. */
  receipts: Map<string, string>;
}

export function newService(instances: Context[], replaced: Partial<Doors> = {}): Service {
  return {
    instances,
    doors: { ...doors, ...replaced },
    ids: new Map(),
    tags: new Map(),
    receipts: new Map(),
  };
}

export function contextOf(service: Service, instance: number): Context {
  const context = service.instances[instance % service.instances.length];
  if (context === undefined) throw new Error('no instance');
  return context;
}

export const idOf = (service: Service, title: string) =>
  service.ids.get(title) ?? '00000000-0000-4000-8000-000000000000';

export function titleOf(service: Service, id: string | null): string | null {
  return [...service.ids].find(([, known]) => known === id)?.[0] ?? id;
}
