import { createHash } from 'node:crypto';
import { compareMembers } from '../../domain/changeset.js';
import type { DefinitionCache } from '../../domain/definition-cache.js';
import { DiptychError } from '../../domain/errors.js';
import type { Intent } from '../../domain/intent.js';
import { lineOfChange } from '../../domain/log-entry.js';
import { forgetFailures, type Move, toLoggedChange, weighMove } from '../../domain/move.js';
import { type Found, planIntent } from '../../domain/plan.js';
import type { Prepared } from '../../domain/prepared.js';
import { sortInTurns } from '../../lib/sort-in-turns.js';
import { Turns } from '../../lib/turns.js';
import type { Snapshot } from '../../store/db.js';
import { findHead } from '../../store/head.js';
import { placeRefusal } from './draft.js';
import { JudgePace } from './judge-pace.js';
import { readFound } from './load-found.js';

/**
 * Units of work that the members of one commit may take together outside of the head's lock: about fifty
 * seconds of an ordinary definition, or a hundred thousand members of a heavy one.
 */
const maxWork = 1_000_000_000;

/** Failures of all members together that are kept whole. */
const maxKeptFailures = 10_000;

/** Refusals that are kept of one commit; a member that is refused is enough to refuse it. */
const keptRefusals = 1_000;

export type PreparedMoves = Omit<Prepared, 'changeset'>;

/**
 * Plans and weighs any number of intents on a snapshot, batch after batch, and keeps of each only what deciding
 * and writing will need. Everybody else gets a turn meanwhile.
 *
 * @param look sees each member as it was found, before it is reduced
 * @throws DiptychError `work-limit`
 */
export async function prepareMoves(
  snapshot: Snapshot,
  context: { definitions: DefinitionCache; limits: { maxRecordBytes: number } },
  batches: AsyncIterable<Intent[]>,
  look: (found: Found, intent: Intent) => void = () => {},
): Promise<PreparedMoves> {
  const prepared: PreparedMoves = {
    revision: (await findHead(snapshot)).revision,
    moves: [],
    unchanged: [],
    refusals: [],
    definitions: new Map(),
    changesDigest: null,
  };
  const pace = new JudgePace(maxWork);
  let keptFailures = 0;
  for await (const intents of batches) {
    const lookups = await readFound(snapshot, context.definitions, intents);
    for (const [index, intent] of intents.entries()) {
      const lookup = lookups[index];
      try {
        if (lookup === undefined || 'refused' in lookup) throw lookup?.refused ?? new Error('no lookup');
        const { found } = lookup;
        const { name, definitionId, definitionNumber } = found.collection;
        prepared.definitions.set(name, { definitionId, number: definitionNumber });
        look(found, intent);
        const planned = planIntent(intent, found, context.limits);
        if ('move' in planned) {
          const move = weighMove(planned.move);
          keptFailures += move.own.errorCount + move.own.warningCount;
          if (keptFailures > maxKeptFailures) forgetFailures(move);
          prepared.moves.push(move);
          pace.spend(move.own.work);
        } else if (found.record && planned.consumedPendingId !== null) {
          prepared.unchanged.push({
            pendingId: planned.consumedPendingId,
            recordId: found.record.id,
            currentVersionId: found.current?.versionId ?? null,
            collection: name,
            key: intent.key,
          });
        }
      } catch (error) {
        if (!(error instanceof DiptychError) || error.code === 'work-limit') throw error;
        if (prepared.refusals.length < keptRefusals) prepared.refusals.push(placeRefusal(error, intent));
      }
      await pace.pause(snapshot);
    }
  }
  prepared.moves = await sortInTurns(prepared.moves, (a, b) => compareMembers(addressOf(a), addressOf(b)));
  prepared.changesDigest = await digestMoves(prepared.moves);
  return prepared;
}

const addressOf = ({ collection, key }: Move) => ({ collection: collection.name, key });

/** What the log will say of the moves, reckoned before its lock is held. */
async function digestMoves(moves: Move[]): Promise<string> {
  const hash = createHash('sha256');
  const turns = new Turns();
  for (const [index, move] of moves.entries()) {
    hash.update(`${index === 0 ? '' : '\n'}${lineOfChange(toLoggedChange(move), index)}`);
    await turns.pause();
  }
  return hash.digest('hex');
}
