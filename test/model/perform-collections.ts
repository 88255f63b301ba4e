import { toDefinition } from './rules.js';
import { contextOf } from './service.js';
import { conditionOf, numbered, type Performers } from './terms.js';

export const collectionPerformers = {
  'rehearse-definition': async (service, op) => {
    const input = { collection: op.collection, definition: toDefinition(op.rules), actor: op.by };
    const context = contextOf(service, op.instance);
    const { live, pending } = await service.doors.rehearseDefinition(context, input);
    return { live: live.checked, pending: pending.checked, breaks: live.failing > 0 };
  },
  'run-retention': async (service, op) => {
    const input = { collection: op.collection, dryRun: op.dryRun, actor: op.by };
    const rest = async () => {};
    const done = await service.doors.runRetention(contextOf(service, op.instance), input, { rest });
    return { archived: done.archived, deleted: done.deleted, horizon: done.horizon, complete: done.complete };
  },
  'put-collection': async (service, op) => {
    const { collection, saw } = op;
    const { created, unchanged } = await service.doors.putCollection(contextOf(service, op.instance), {
      collection,
      definition: toDefinition(op.rules),
      precondition: saw === 'any' ? conditionOf(service, saw) : numbered(service, collection, saw),
      actor: op.by,
    });
    return { created, unchanged };
  },
  'delete-collection': async (service, op) => {
    const { collection, saw } = op;
    const precondition = numbered(service, collection, saw);
    const input = { collection, precondition, actor: op.by };
    await service.doors.deleteCollection(contextOf(service, op.instance), input);
    return {};
  },
} satisfies Partial<Performers>;
