import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Db } from '../../src/store/db.js';
import type { Random } from './random.js';

/** How many turns of the event loop an answer may be late. */
const maxTurns = 12;

/** The same database, whose answers to single statements come late and in another order than they were made. */
export function withLateAnswers(db: Db, random: Random): Db {
  const late = async <T>(answer: Promise<T>): Promise<T> => {
    const rows = await answer;
    for (let turns = random.chance(0.5) ? random.below(maxTurns) : 0; turns > 0; turns -= 1) await nextTurn();
    return rows;
  };
  return {
    ...db,
    query: (text, values) => late(db.query(text, values)),
    queryOnce: (text, values) => late(db.queryOnce(text, values)),
  };
}
