import { DiptychError } from '../../domain/errors.js';
import { GroupQueue } from '../../lib/group-queue.js';
import { type Db, withTransaction } from '../../store/db.js';
import { type Ingested, type IngestRequest, Overtaken, stageRows } from './stage-rows.js';

/** Calls that are under way at once, each with a connection. */
const lanes = 2;
/** Calls that may wait, and characters of content that they have together; beyond that the caller is told to come back. */
const maxWaiting = 1_000;
const maxWaitingLength = 64 * 1024 * 1024;
/** How often a call is begun anew because records came or went in between. */
const maxAttempts = 10;

/**
 * Calls that stage rows. Those of one changeset, or of one collection outside of changesets, are likely to be about
 * the same records: they go one after the other and wait here, where waiting takes no connection.
 */
export class IngestQueue {
  readonly #db: Db;
  readonly #calls: GroupQueue<IngestRequest, Ingested>;

  constructor({ db }: { db: Db }) {
    this.#db = db;
    this.#calls = new GroupQueue({
      run: async (group) => await Promise.all(group.map((request) => this.#stage(request))),
      nameOf: ({ changeset, collection }) => changeset ?? collection,
      weightOf: lengthOf,
      maxWeight: maxWaitingLength,
      maxGroup: 1,
      lanes,
      maxWaiting,
      maxWaitingWeight: maxWaitingLength,
      refuse: () =>
        new DiptychError('not-ready', 'Too many calls that ingest rows are waiting.', {
          retryAfterSeconds: 1,
        }),
      isShared: () => true,
    });
  }

  /** @throws DiptychError what stands against the call, or `not-ready` when too many wait */
  async submit(request: IngestRequest): Promise<Ingested> {
    return await this.#calls.submit(request);
  }

  async #stage(request: IngestRequest): Promise<Ingested> {
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      try {
        return await withTransaction(this.#db, (tx) => stageRows(tx, request));
      } catch (error) {
        if (!(error instanceof Overtaken)) throw error;
      }
    }
    throw new DiptychError('not-ready', 'Records come and go faster than rows can be staged into them.', {
      retryAfterSeconds: 1,
    });
  }
}

function lengthOf({ rows }: IngestRequest): number {
  return rows.reduce((sum, row) => sum + (row.action === 'upsert' ? row.content.content.length : 0), 0);
}
