import pg from 'pg';
import { DiptychError } from '../domain/errors.js';

/** The trigger that makes and removes the tables of mirrors. */
const mirrorTrigger = 'collection_mirror';

/**
 * Runs a statement that puts a definition in force or out of it, which makes or removes the collection's mirror.
 *
 * @throws DiptychError `mirror-blocked` where something else in the schema of the mirrors stands against that
 */
export async function orMirrorBlocked<T>(statement: Promise<T>): Promise<T> {
  try {
    return await statement;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || error.constraint !== mirrorTrigger) throw error;
    const refusal = new DiptychError(
      'mirror-blocked',
      `The table of the mirror cannot be made or removed: ${error.message}`,
    );
    refusal.cause = error;
    throw refusal;
  }
}
