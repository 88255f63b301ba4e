import type { Executor, Tx } from './db.js';

export interface Head {
  /** 0 while nothing has been committed. */
  revision: number;
  hash: Buffer;
  committedAt: Date;
}

export interface LockedHead extends Head {
  /** The database's clock once the lock was held, cut to milliseconds and never before `committedAt`. */
  now: Date;
}

/**
 * Takes the lock that puts commits in order, held until the transaction ends, and only then reads the clock. Whatever the server's default
 * is, an acknowledged commit is on disk: `synchronous_commit = off` is lifted for this transaction.
 */
export async function lockHead(tx: Tx): Promise<LockedHead> {
  const [, [head]] = await Promise.all([
    tx.query(`SELECT revision FROM head FOR UPDATE`),
    tx.query<LockedHead>(
      `SELECT revision, hash, committed_at AS "committedAt",
            greatest(date_trunc('milliseconds', clock_timestamp()), committed_at) AS now,
            CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END AS durable
       FROM head`,
    ),
  ]);
  if (head === undefined) throw new Error('the head row is missing');
  return head;
}

/** The newest revision that readers can see. */
export async function findHead(executor: Executor): Promise<Head> {
  const [head] = await executor.query<Head>(`SELECT revision, hash, committed_at AS "committedAt" FROM head`);
  if (head === undefined) throw new Error('the head row is missing');
  return head;
}
