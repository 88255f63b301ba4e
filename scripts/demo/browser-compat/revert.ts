import { type Committed, newIdempotencyKey } from '../client.js';
import type { Era } from '../timeline.js';
import { changeCountOf, grouped, type Stage } from './stage.js';
import { claimState, enter } from './states.js';

/** Undoes the switch in one call, rehearsed first; then undoes that, and the new release is there again. */
export async function revertTwice(stage: Stage, switched: number): Promise<void> {
  const { api, screen, claims, timings, before, after, difference } = stage;
  const members = changeCountOf(difference);
  screen.heading('6  Reverted in one call, and that reverted too');

  const rehearsal = await timings.measure('revert, rehearsed', members, () =>
    api.call<Committed>('POST', revertPath(switched), { body: { dryRun: true } }),
  );
  claims.equal(
    rehearsal.body.changeCount,
    members,
    `Rehearsed: the revert of revision ${switched} would change ${grouped(members)} records`,
  );
  await claimState(stage, `The rehearsal changed nothing: the list is still release ${after.name}`);

  const back = await revert(stage, switched, {
    name: `release ${before.name} again`,
    state: before.features,
  });
  await revert(stage, back, { name: `release ${after.name} again`, state: after.features });
}

/** Returns the revision of the revert. */
async function revert(stage: Stage, undone: number, next: Pick<Era, 'name' | 'state'>): Promise<number> {
  const { api, claims, timings, difference } = stage;
  const members = changeCountOf(difference);
  const { body } = await timings.measure(`revert to ${next.name}`, members, () =>
    api.call<Committed>('POST', revertPath(undone), {
      body: { message: `Back to ${next.name}` },
      headers: { 'Idempotency-Key': newIdempotencyKey() },
    }),
  );
  claims.equal(
    [body.kind, body.changeCount],
    ['revert', members],
    `Revision ${undone} reverted in one call: ${grouped(members)} records in one revision, ${body.revision}`,
  );
  await enter(stage, { ...next, revision: body.revision, changeCount: members });
  return body.revision;
}

function revertPath(revision: number): string {
  return `/v1/commits/${revision}/revert`;
}
