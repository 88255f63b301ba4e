import type { Of, Patch } from './operations.js';
import { contextOf, type Service } from './service.js';
import {
  committed,
  committing,
  conditionOf,
  jsonPatch,
  keepReceipt,
  type Performers,
  placeOf,
  seeing,
  toChange,
} from './terms.js';

/** Pending versions, and commits of records. */
export const recordPerformers = {
  'stage-pending': async (service, op) => {
    const { created } = await service.doors.stagePending(contextOf(service, op.instance), {
      ...placeOf(service, op),
      staged: op.data === null ? { operation: 'delete' } : { operation: 'upsert', data: op.data },
      message: op.message,
      baseVersion: op.base,
      precondition: { ...conditionOf(service, op.saw), ...(op.fresh ? { ifNoneMatch: { any: true } } : {}) },
      actor: op.by,
    });
    return { created };
  },
  'patch-pending': async (service, op) => {
    const { created } = await service.doors.patchPending(contextOf(service, op.instance), {
      ...placeOf(service, op),
      patch: pendingPatch(op.patch),
      precondition: conditionOf(service, op.saw),
      actor: op.by,
    });
    return { created };
  },
  'discard-pending': async (service, op) => {
    const precondition = conditionOf(service, op.saw);
    await service.doors.discardPending(contextOf(service, op.instance), {
      ...placeOf(service, op),
      precondition,
    });
    return {};
  },
  'rebase-pending': async (service, op) => {
    const { created } = await service.doors.rebasePending(contextOf(service, op.instance), {
      ...placeOf(service, op),
      resolutions: new Map(Object.entries(op.resolutions)),
      precondition: conditionOf(service, op.saw),
      actor: op.by,
    });
    return { created };
  },
  'validate-pending': async (service, op) => {
    const context = contextOf(service, op.instance);
    const { report } = await service.doors.validatePending(context, placeOf(service, op));
    return { valid: keepReceipt(service, op.receipt, report) };
  },
  'commit-pending': async (service, op) =>
    committed(
      await service.doors.commitPending(contextOf(service, op.instance), {
        ...placeOf(service, op),
        ...seeing(service, op),
        ...committing(op),
        message: op.message,
      }),
    ),
  'rollback-record': async (service, op) => {
    const { collection, key, toVersion, force, ifRevision } = op;
    const context = contextOf(service, op.instance);
    const tags = ifRevision === undefined ? [] : [await recordTag(service, op, ifRevision)];
    const precondition = ifRevision === undefined ? {} : { ifMatch: { any: false as const, tags } };
    const input = { collection, key, toVersion, force, precondition, ...committing(op) };
    return committed(await service.doors.rollbackRecord(context, input));
  },
  'commit-changes': async (service, op) =>
    committed(
      await service.doors.commitChanges(contextOf(service, op.instance), {
        changes: op.changes.map(toChange),
        dryRun: op.dryRun,
        message: op.message,
        ...committing(op),
      }),
    ),
  'revert-commit': async (service, op) => {
    const { revision, dryRun, force } = op;
    const input = { revision, dryRun, force, ...committing(op) };
    return committed(await service.doors.revertCommit(contextOf(service, op.instance), input));
  },
} satisfies Partial<Performers>;

/** The entity tag of a record if it last changed then, and one of that form otherwise. */
async function recordTag(service: Service, op: Of<'rollback-record'>, revision: number): Promise<string> {
  const { collection, key } = op;
  const at = { collection, key, at: { type: 'head' as const } };
  const found = await service.doors.getRecord(contextOf(service, op.instance), at).catch(() => null);
  return found?.record.revision === revision ? found.tag : `"r${revision}.0000000000000000"`;
}

function pendingPatch(patch: Patch) {
  if (!('merge' in patch)) return { type: 'json' as const, operations: jsonPatch(patch, '/data') };
  const { merge } = patch;
  return {
    type: 'merge' as const,
    patch: typeof merge === 'string' ? { operation: merge } : { data: merge },
  };
}
