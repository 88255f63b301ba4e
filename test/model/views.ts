import type { ChangesetView } from '../../src/domain/changeset.js';
import type { PendingView, PreviewView, RecordView } from '../../src/domain/record.js';
import { isApprovalValid, isValidationFresh } from './changesets.js';
import type { Laws } from './laws.js';
import { contextOf, idOf, type Service, titleOf } from './service.js';
import {
  type Changeset,
  canonical,
  currentNumber,
  isSame,
  membersOf,
  type Pending,
  requireCollection,
  type Seen,
  type State,
} from './state.js';

/** What there is to see of a store at one moment: one line of text each, the same for the model and the service. */
export type View = string[];

const everything = { filters: [], sort: [], limit: 1_000 };

/** What the model has to show; with what one changeset would make of it, if one is named. */
export function viewModel(state: State, laws: Laws, previewed: string | null): View {
  return [
    line('head', state.log.length),
    ...(state.history.at(-1) ?? []).map((seen) => line('record', seen)).sort(),
    ...(previewed === null ? [] : previewModel(state, previewed)),
    ...state.pendings.map((pending) => line('pending', showPending(state, pending))).sort(),
    ...[...state.changesets.values()]
      .map((each) => line('changeset', showChangeset(state, laws, each)))
      .reverse(),
  ];
}

/** What an instance of the service has to show: every list that it has. */
export async function viewService(
  service: Service,
  { instance, collections, previewed }: { instance: number; collections: string[]; previewed: string | null },
): Promise<View> {
  const context = contextOf(service, instance);
  const { listRecords, listPending, listChangesets, previewRecords } = service.doors;
  const lists = Promise.all(
    collections.map((collection) =>
      listRecords(context, { collection, at: { type: 'head' }, ...everything }),
    ),
  );
  const changeset = previewed === null ? null : idOf(service, previewed);
  const previews = collections.map((collection) => ({
    collection,
    at: { type: 'head' as const },
    ...everything,
  }));
  const [records, pendings, changesets, shown] = await Promise.all([
    lists,
    listPending(context, { limit: 1_000 }),
    listChangesets(context, { limit: 1_000 }),
    Promise.all(
      changeset === null ? [] : previews.map((list) => previewRecords(context, { ...list, changeset })),
    ),
  ]);
  const heads = new Set([...records, pendings, changesets].map(({ revision }) => revision));
  return [
    line('head', heads.size === 1 ? pendings.revision : [...heads]),
    ...records.flatMap(({ page }) => page.items.map((record) => line('record', toSeen(record)))).sort(),
    ...shown.flatMap(({ page }) => page.items.map((record) => line('preview', toPreview(record)))).sort(),
    ...pendings.page.items.map((pending) => line('pending', toPending(service, pending))).sort(),
    ...changesets.page.items.map((changeset) => line('changeset', toChangeset(changeset))),
  ];
}

export const line = (what: string, value: unknown) => `${what} ${canonical(value)}`;

/** The first lines that only one of both has. */
export function differences(model: View, service: View): string[] {
  const [expected, found] = [new Set(model), new Set(service)];
  const differing = [
    ...model.filter((text) => !found.has(text)).map((text) => `model:   ${text}`),
    ...service.filter((text) => !expected.has(text)).map((text) => `service: ${text}`),
  ];
  if (differing.length > 0) return differing;
  return model.join() === service.join() ? [] : ['the order differs', ...model, ...service];
}

export function toSeen(record: RecordView): Seen {
  const { collection, key, version, revision, data, committedBy, message } = record;
  return { collection, key, version, revision, data, committedBy, message };
}

/** The committed records with those of the changeset laid over them. */
function previewModel(state: State, title: string): View {
  const members = membersOf(state, title);
  const under = (state.history.at(-1) ?? []).filter(
    (seen) => !members.some((member) => isSame(member, seen)),
  );
  const over = members.flatMap(({ collection, key, data, message }) =>
    data === null
      ? []
      : [{ collection, key, data, message, version: null, revision: null, committedBy: null }],
  );
  return [
    ...under.map((seen) => line('preview', { ...seen, pending: false })),
    ...over.map((member) => line('preview', { ...member, pending: true })),
  ].sort();
}

function toPreview({ committedAt: _, ...preview }: PreviewView) {
  return preview;
}

function showPending(state: State, pending: Pending) {
  const { collection, key, changeset, data, base, message, stagedBy, validation, stamp } = pending;
  const current = currentNumber(state, pending);
  const { number } = requireCollection(state, collection);
  const holds =
    validation?.stamp === stamp && validation.definition === number && validation.current === current;
  return {
    ...{ collection, key, changeset, data, base, current, message },
    outdated: base !== current,
    stagedBy: [...stagedBy].sort(),
    validation: validation === null ? 'unknown' : !holds ? 'stale' : validation.valid ? 'valid' : 'invalid',
  };
}

function toPending(service: Service, pending: PendingView): ReturnType<typeof showPending> {
  const { collection, key, data, baseVersion, currentVersion, message, outdated, stagedBy } = pending;
  return {
    ...{ collection, key, message, outdated },
    changeset: titleOf(service, pending.changeset),
    data,
    base: baseVersion,
    current: currentVersion,
    stagedBy: [...stagedBy].sort(),
    validation: pending.validation.state,
  };
}

function showChangeset(state: State, laws: Laws, changeset: Changeset) {
  const { title, createdBy, validation, scheduledBy, refusal, closedBy, revision } = changeset;
  const memberCount = state.log[(revision ?? 0) - 1]?.changes.length ?? membersOf(state, title).length;
  return {
    ...{ title, createdBy, state: changeset.state, memberCount, scheduledBy, refusal, closedBy, revision },
    validation:
      validation === null
        ? 'unknown'
        : !isValidationFresh(state, changeset)
          ? 'stale'
          : validation.valid
            ? 'valid'
            : 'invalid',
    approvals: changeset.approvals
      .map((approval) => `${approval.approver} ${isApprovalValid(laws, changeset, approval)}`)
      .sort(),
  };
}

function toChangeset(changeset: ChangesetView): ReturnType<typeof showChangeset> {
  const { title, createdBy, state, memberCount, schedule, refusal, closedBy, revision } = changeset;
  return {
    ...{ title, createdBy, state, memberCount: memberCount ?? -1, closedBy, revision },
    scheduledBy: schedule?.scheduledBy ?? null,
    refusal: refusal?.code ?? null,
    validation: changeset.validation.state,
    approvals: changeset.approvals.map(({ approver, valid }) => `${approver} ${valid}`).sort(),
  };
}
