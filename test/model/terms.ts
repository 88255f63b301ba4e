import type { Precondition } from '../../src/domain/precondition.js';
import type { PatchOperation } from '../../src/domain/record.js';
import { sha256 } from '../../src/lib/digest.js';
import { requestOf } from './model.js';
import type { Change, Kind, Of, Operation, Patch, Saw } from './operations.js';
import { idOf, type Service } from './service.js';

/** How an operation is done, in the service's own terms. */
export type Performers<K extends Kind = Kind> = {
  [Each in K]: (service: Service, op: Of<Each>) => Promise<unknown>;
};

/** An answer that was kept from an earlier request. */
export class Replayed {
  constructor(readonly answer: unknown) {}
}

export function placeOf(service: Service, at: { collection: string; key: string; changeset: string | null }) {
  const { collection, key, changeset } = at;
  return { collection, key, changeset: changeset === null ? null : idOf(service, changeset) };
}

export function conditionOf(service: Service, saw: Saw | undefined): Precondition {
  if (saw === undefined) return {};
  return { ifMatch: saw === 'any' ? { any: true } : { any: false, tags: [tagOf(service, saw.stamp)] } };
}

export const numbered = (
  service: Service,
  collection: string,
  saw: { number: number } | undefined,
): Precondition =>
  saw ? { ifMatch: { any: false, tags: [service.tags.get(`${collection} ${saw.number}`) ?? '"d0.0"'] } } : {};

function tagOf(service: Service, stamp: string): string {
  const tag = service.tags.get(stamp);
  if (tag === undefined) throw new Error(`nobody knows the tag of state ${stamp}`);
  return tag;
}

export function seeing(service: Service, { saw, receipt }: { saw?: Saw; receipt?: string }) {
  const known = receipt === undefined ? undefined : service.receipts.get(receipt);
  if (receipt !== undefined && known === undefined) throw new Error(`there is no receipt ${receipt}`);
  return { precondition: conditionOf(service, saw), receipt: known };
}

export const committing = (op: Operation & { idempotencyKey?: string }) => ({
  actor: op.by,
  idempotency:
    op.idempotencyKey === undefined
      ? undefined
      : { key: op.idempotencyKey, fingerprint: sha256(requestOf(op)).toString('hex') },
});

export function committed({
  result,
  replayed,
}: {
  result: { committedAt: string };
  replayed: boolean;
}): unknown {
  const { committedAt: _, ...answer } = result;
  return replayed ? new Replayed(answer) : answer;
}

export function keepReceipt(
  service: Service,
  name: string,
  report: { valid: boolean; receipt: string | null },
): boolean {
  if (report.valid !== (report.receipt !== null))
    throw new Error('a receipt without validity, or the other way round');
  if (report.receipt !== null) service.receipts.set(name, report.receipt);
  return report.valid;
}

export const jsonPatch = (patch: Exclude<Patch, { merge: unknown }>, root: string): PatchOperation[] =>
  'test' in patch
    ? [
        { op: 'test', path: `${root}/price`, value: patch.test },
        { op: 'replace', path: `${root}/price`, value: patch.price },
      ]
    : [{ op: 'add', path: `${root}/related/-`, value: patch.relate }];

export const toChange = (change: Change) =>
  change.operation === 'patch' ? { ...change, patch: jsonPatch(change.patch, '') } : change;
