import { claimName, recordName, type World } from '../../domain/judge.js';
import type { Move } from '../../domain/move.js';
import { findReferrers, findUniqueHolders } from '../../store/constraints.js';
import type { Executor } from '../../store/db.js';
import { findLiveTargets } from '../../store/records.js';

/** Loads what the rules across records look at, in three statements for any number of commits. */
export async function loadWorld(executor: Executor, commits: Move[][]): Promise<World> {
  const moves = commits.flat();
  const world: World = { holders: new Map(), live: new Map(), referrers: new Map() };

  const claims = moves.flatMap((move) => move.after?.claims ?? []);
  if (claims.length > 0) {
    for (const holder of await findUniqueHolders(executor, claims))
      world.holders.set(claimName(holder), holder);
  }

  const references = moves.flatMap((move) => move.after?.references ?? []);
  if (references.length > 0) {
    for (const target of await findLiveTargets(executor, references))
      world.live.set(recordName(target), target.id);
  }

  for (const members of commits) {
    const deleted = new Map(
      members.flatMap((move) =>
        move.after === null && move.recordId !== null ? [[move.recordId, move]] : [],
      ),
    );
    if (deleted.size === 0) continue;
    const memberIds = members.flatMap((move) => move.recordId ?? []);
    for (const referrer of await findReferrers(executor, [...deleted.keys()], memberIds)) {
      const target = deleted.get(referrer.targetRecordId);
      if (target === undefined) continue;
      const name = recordName({ collection: target.collection.name, key: target.key });
      world.referrers.set(name, [...(world.referrers.get(name) ?? []), referrer]);
    }
  }
  return world;
}
