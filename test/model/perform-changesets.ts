import type { Of } from './operations.js';
import { contextOf, idOf, type Service, titleOf } from './service.js';
import {
  committed,
  committing,
  conditionOf,
  keepReceipt,
  type Performers,
  seeing,
  toChange,
} from './terms.js';

export const changesetPerformers = {
  'create-changeset': async (service, { title, instance, by }) => {
    const { changeset } = await service.doors.createChangeset(contextOf(service, instance), {
      title,
      actor: by,
    });
    service.ids.set(title, changeset.id);
    return {};
  },
  'validate-changeset': async (service, op) => {
    const input = { id: idOf(service, op.title) };
    const { report } = await service.doors.validateChangeset(contextOf(service, op.instance), input);
    keepReceipt(service, op.receipt, report);
    return reported(service, report);
  },
  'commit-changeset': async (service, op) =>
    committed(
      await service.doors.commitChangeset(contextOf(service, op.instance), {
        id: idOf(service, op.title),
        ...seeing(service, op),
        ...committing(op),
        message: op.message,
      }),
    ),
  'rebase-changeset': async (service, op) => {
    const { result } = await service.doors.rebaseChangeset(contextOf(service, op.instance), {
      id: idOf(service, op.title),
      resolutions: op.members.map(({ resolutions, ...at }) => ({
        ...at,
        resolutions: new Map(Object.entries(resolutions)),
      })),
      precondition: conditionOf(service, op.saw),
      actor: op.by,
    });
    return { rebased: result.rebased, resolved: result.resolved };
  },
  'approve-changeset': async (service, op) => {
    const input = { id: idOf(service, op.title), precondition: conditionOf(service, op.saw), actor: op.by };
    await service.doors.approveChangeset(contextOf(service, op.instance), input);
    return {};
  },
  'discard-changeset': async (service, op) => {
    const input = { id: idOf(service, op.title), precondition: conditionOf(service, op.saw), actor: op.by };
    await service.doors.discardChangeset(contextOf(service, op.instance), input);
    return {};
  },
  'schedule-changeset': async (service, op) => {
    const { report } = await service.doors.scheduleChangeset(contextOf(service, op.instance), {
      id: idOf(service, op.title),
      commitAt: new Date(op.past ? '2001-01-01T00:00:00Z' : '2999-01-01T00:00:00Z'),
      ...seeing(service, op),
      actor: op.by,
    });
    return reported(service, report);
  },
  'unschedule-changeset': async (service, op) => {
    await service.doors.unscheduleChangeset(contextOf(service, op.instance), { id: idOf(service, op.title) });
    return {};
  },
  'commit-scheduled': async (service, op) => {
    const { db } = contextOf(service, op.instance);
    await db.query(
      `UPDATE changeset SET commit_at = clock_timestamp() - interval '1 s', refusal = NULL WHERE id = $1 AND state = 'scheduled'`,
      [idOf(service, op.title)],
    );
    const outcomes = await Promise.all(
      service.instances.map((context) => service.doors.commitScheduled(context)),
    );
    const done = outcomes.flat().filter(({ postponed }) => postponed === undefined);
    const late = outcomes.flat().find(({ postponed }) => postponed !== undefined);
    if (done.length === 0 && late) throw late.postponed;
    return done.map(({ revision, refused }) => (refused ? { refused: refused.code } : { revision }));
  },
  'stage-lines': async (service, op) => {
    const { report } = await service.doors.stageLines(contextOf(service, op.instance), {
      changeset: idOf(service, op.title),
      lines: readLines(op.lines),
      ifMatch: conditionOf(service, op.saw).ifMatch,
      actor: op.by,
    });
    const { staged, unchanged, failed, errors } = report;
    return { staged, unchanged, failed, errors: errors.map(({ line, code }) => `${line} ${code}`) };
  },
} satisfies Partial<Performers>;

type Report = Awaited<ReturnType<Service['doors']['validateChangeset']>>['report'];

function reported(service: Service, { valid, memberCount, missingApprovals, overlaps }: Report) {
  return {
    valid,
    memberCount,
    missingApprovals: missingApprovals.toSorted((a, b) => (a.collection < b.collection ? -1 : 1)),
    overlaps: overlaps
      .map(({ changeset, recordCount, uniqueValueCount }) => ({
        changeset: titleOf(service, changeset) ?? '',
        records: recordCount,
        values: uniqueValueCount,
      }))
      .sort((a, b) => (a.changeset < b.changeset ? -1 : 1)),
  };
}

async function* readLines(lines: Of<'stage-lines'>['lines']) {
  for (const [index, line] of lines.entries()) {
    const staged = { ...toChange(line), message: line.message };
    yield { number: index + 1, bytes: JSON.stringify(line).length, staged };
  }
}
