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
  /** Ids for as many versions as were asked for; those that are not used are gone. */
  versionIds: number[];
}

/**
 * Takes the lock that puts commits in order, held until the transaction ends, and only then reads the clock. Whatever the server's default
 * is, an acknowledged commit is on disk: `synchronous_commit = off` is lifted for this transaction.
 *
 * What a commit asks is looked up by an index whatever the values are: a plan is kept, where the server would weigh
 * one for these very values each time, which took a third of its time for a commit alone.
 *
 * @param versions how many versions may be added: their ids are known before anything is decided about them, so that
 *   what refers to them can be sent with them
 */
export async function lockHead(tx: Tx, versions = 0): Promise<LockedHead> {
  // The clock is read above the lock: a subquery that locks rows is never merged with what is around it.
  const [head] = await tx.query<Omit<LockedHead, 'versionIds'> & { versionIds: string[] }>(
    `SELECT revision, hash, committed_at AS "committedAt",
            greatest(date_trunc('milliseconds', clock_timestamp()), committed_at) AS now,
            CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END AS durable,
            set_config('plan_cache_mode', 'force_generic_plan', true) AS planned,
            ARRAY(SELECT nextval('version_id_seq') FROM generate_series(1, $1::integer)) AS "versionIds"
     FROM (SELECT revision, hash, committed_at FROM head FOR UPDATE) AS head`,
    [versions],
  );
  if (head === undefined) throw new Error('the head row is missing');
  return { ...head, versionIds: head.versionIds.map(Number) };
}

/** The newest revision that readers can see. */
export async function findHead(executor: Executor): Promise<Head> {
  const [head] = await executor.query<Head>(`SELECT revision, hash, committed_at AS "committedAt" FROM head`);
  if (head === undefined) throw new Error('the head row is missing');
  return head;
}
