import { onTestFinished } from 'vitest';
import type { Db } from '../../src/store/db.js';

/** A barrier in the database: no commit gets past the head's lock until it is let go. */
export interface HeldHead {
  /** Waits until so many sessions wait for a lock: what they prepared is ready, and nothing is decided yet. */
  untilWaiting: (sessions: number) => Promise<void>;
  /** Ends the sessions that wait, as a failing database would; they are gone when it returns, and are counted no more. */
  cutOff: () => Promise<void>;
  release: () => Promise<void>;
}

/** Takes the head's lock on a connection of its own. It is let go when the test ends, in any case. */
export async function holdHead(db: Db): Promise<HeldHead> {
  const client = await db.pool.connect();
  await client.query('BEGIN');
  await client.query('SELECT FROM head FOR UPDATE');
  let held = true;
  const release = async () => {
    if (!held) return;
    held = false;
    await client.query('ROLLBACK');
    client.release();
  };
  onTestFinished(release);
  const waiting = `FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return {
    untilWaiting: async (sessions) => {
      for (;;) {
        const found = await db.query(`SELECT ${waiting}`);
        if (found.length >= sessions) return;
      }
    },
    cutOff: async () => {
      await db.query(`SELECT pg_terminate_backend(pid, 60000) ${waiting}`);
    },
    release,
  };
}
