import { approveChangeset } from '../../src/commands/approve-changeset.js';
import { commitChangeset } from '../../src/commands/commit-changeset.js';
import type { Context } from '../../src/commands/context.js';
import { createChangeset } from '../../src/commands/create-changeset.js';
import { putCollection } from '../../src/commands/put-collection.js';
import { scheduleChangeset } from '../../src/commands/schedule-changeset.js';
import { stagePending } from '../../src/commands/stage-pending.js';
import { validateChangeset } from '../../src/commands/validate-changeset.js';
import type { Actor } from '../../src/domain/actor.js';
import type { Definition } from '../../src/domain/collection.js';
import type { Precondition } from '../../src/domain/precondition.js';
import type { JsonObject } from '../../src/lib/json-value.js';
import { getChangeset } from '../../src/queries/get-changeset.js';
import { ann } from './context.js';

const anything = { ifMatch: { any: true as const } };

/** What a member becomes; null is a deletion. */
export interface Member {
  collection: string;
  key: string;
  data: JsonObject | null;
}

/** A collection with this definition; another one with `If-Match`. */
export async function define(
  context: Context,
  collection: string,
  definition: Definition = {},
  precondition: Precondition = {},
): Promise<void> {
  await putCollection(context, { collection, definition, precondition, actor: ann });
}

/** Stages one member, over whatever is there. */
export async function stageMember(
  context: Context,
  changeset: string,
  { collection, key, data }: Member,
  options: { actor?: Actor; replace?: boolean } = {},
): Promise<void> {
  await stagePending(context, {
    collection,
    key,
    changeset,
    staged: data === null ? { operation: 'delete' } : { operation: 'upsert', data },
    precondition: options.replace ? anything : {},
    actor: options.actor ?? ann,
  });
}

/** Opens a changeset that holds these members; answers its id. */
export async function openChangeset(context: Context, members: Member[], title = 'Release'): Promise<string> {
  const { changeset } = await createChangeset(context, { title, actor: ann });
  for (const member of members) await stageMember(context, changeset.id, member);
  return changeset.id;
}

/** Validates a changeset that has to be valid; answers the receipt. */
export async function receiptOf(context: Context, id: string): Promise<string> {
  const { report } = await validateChangeset(context, { id });
  if (report.receipt === null) throw new Error(`not valid: ${JSON.stringify(report.errors)}`);
  return report.receipt;
}

/** Commits with the receipt, or whatever is there. */
export function commitWhole(context: Context, id: string, receipt?: string) {
  return commitChangeset(context, { id, precondition: receipt ? {} : anything, receipt, actor: ann });
}

export function approve(context: Context, id: string, name: string) {
  return approveChangeset(context, { id, precondition: anything, actor: { name, admin: false } });
}

/** Schedules a changeset for a moment that is far away, or for a given one. */
export async function scheduleFor(
  context: Context,
  id: string,
  { at = '2999-01-01T00:00:00.000Z', actor = ann }: { at?: string; actor?: Actor } = {},
): Promise<void> {
  await scheduleChangeset(context, { id, commitAt: new Date(at), precondition: anything, actor });
}

/** Lets the moment of a scheduled changeset have come, without waiting for it. */
export async function letBeDue(context: Context, id: string, at = '2001-01-01T00:00:00.000Z'): Promise<void> {
  await context.db.query(`UPDATE changeset SET commit_at = $2 WHERE id = $1 AND state = 'scheduled'`, [
    id,
    at,
  ]);
}

/** A changeset as its stagers see it. */
export async function viewOf(context: Context, id: string) {
  return (await getChangeset(context, { id })).changeset;
}
