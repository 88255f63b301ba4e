import type { Actor } from '../../domain/actor.js';
import type { CompiledDefinition } from '../../domain/definition/compile.js';
import { DiptychError } from '../../domain/errors.js';
import type { Failure } from '../../domain/failure.js';
import { type MemberResolutions, maxListedFailures, noConflict } from '../../domain/rebase.js';
import { ConflictList } from '../../domain/rebase-refusals.js';
import { collectionNotFound } from '../../domain/refusals.js';
import { Turns } from '../../lib/turns.js';
import { readContent } from '../../store/archived.js';
import { findCollection } from '../../store/collections.js';
import type { Tx } from '../../store/db.js';
import { listOutdated, type OutdatedRow, type RebasedRow, updateBases } from '../../store/rebase.js';
import type { Context } from '../context.js';
import { rebaseMember, toBase } from './rebase-member.js';

const batchSize = 500;

/** What became of the outdated members: with conflicts or failures, what was written must not stay. */
export interface RebasedMembers {
  rebased: number;
  resolved: number;
  conflicts: ConflictList;
  failures: Failure[];
}

/**
 * Rebases the outdated members of a locked changeset, batch after batch. It may take long, and locks no record: of
 * each, one version that was current is held, so that it can be the base whatever is committed meanwhile.
 */
export async function rebaseMembers(
  tx: Tx,
  context: Pick<Context, 'definitions' | 'limits'>,
  input: { id: string; resolutions: MemberResolutions[]; actor: Actor },
): Promise<RebasedMembers> {
  const outcome: RebasedMembers = { rebased: 0, resolved: 0, conflicts: new ConflictList(), failures: [] };
  const given = new Map(input.resolutions.map((entry, index) => [addressOf(entry), { ...entry, index }]));
  const definitionOf = definitionReader(tx, context);
  const turns = new Turns();
  let found = false;
  for (let after = 0; ; ) {
    const batch = await listOutdated(tx, input.id, after, batchSize);
    const last = batch.at(-1);
    if (last === undefined) break;
    found = true;
    const rows: RebasedRow[] = [];
    for (const member of batch) {
      const entry = given.get(addressOf(member));
      given.delete(addressOf(member));
      const { mergeKeyAt } = await definitionOf(member.collection);
      // One after the other, so that no more than one archive is open.
      const base = member.base === null ? 'none' : toBase(await readContent(member.base));
      const step = namingMember(member, () =>
        rebaseMember(
          { ...member, base },
          {
            resolutions: entry?.resolutions ?? new Map(),
            pointer: `/resolutions/${entry?.index ?? 0}/resolutions`,
            mergeKeyAt,
            maxRecordBytes: context.limits.maxRecordBytes,
            actor: input.actor,
          },
        ),
      );
      if ('failures' in step) addFailures(outcome, step.failures);
      else if ('conflicts' in step) outcome.conflicts.add(step.conflicts, placeOf(member));
      else rows.push(step.row);
      await turns.pause();
    }
    outcome.rebased += rows.length;
    outcome.resolved += rows.reduce((sum, row) => sum + row.resolutions.length, 0);
    // Where something is amiss all will be undone; the rest is only looked through.
    if (outcome.conflicts.count === 0 && outcome.failures.length === 0)
      await updateBases(tx, rows, input.actor.name);
    after = last.id;
  }
  if (found) {
    const unused = [...given.values()].map(({ index }) => noConflict(`/resolutions/${index}`));
    addFailures(outcome, unused);
  }
  return outcome;
}

function addFailures(outcome: RebasedMembers, failures: Failure[]): void {
  outcome.failures.push(...failures.slice(0, maxListedFailures - outcome.failures.length));
}

const addressOf = ({ collection, key }: { collection: string; key: string }) => `${collection} ${key}`;
const placeOf = ({ collection, key }: OutdatedRow) => ({ collection, key });

function definitionReader(
  tx: Tx,
  { definitions }: Pick<Context, 'definitions'>,
): (collection: string) => Promise<CompiledDefinition> {
  const known = new Map<string, CompiledDefinition>();
  return async (name) => {
    const kept = known.get(name);
    if (kept !== undefined) return kept;
    const collection = await findCollection(tx, name);
    if (collection === null) throw collectionNotFound(name);
    const compiled = definitions.get(collection);
    known.set(name, compiled);
    return compiled;
  };
}

/** Lets a refusal say which member it is about. */
function namingMember<Result>({ collection, key }: OutdatedRow, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof DiptychError)) throw error;
    const errors = (error.options.errors ?? []).map((failure) => ({ ...failure, collection, key }));
    const detail = `${JSON.stringify(key)} in ${collection}: ${error.detail}`;
    throw new DiptychError(error.code, detail, { ...error.options, errors });
  }
}
