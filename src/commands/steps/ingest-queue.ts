import { DiptychError } from '../../domain/errors.js';
import { GroupQueue } from '../../lib/group-queue.js';
import { isConnectionLost } from '../../store/database-errors.js';
import { type Db, withTransaction } from '../../store/db.js';
import { type Ingested, type IngestRequest, Overtaken, stageRows, takeTogether } from './stage-rows.js';

/** Groups of calls that are under way at once, each with a connection. */
const lanes = 2;
/** Calls that go into one transaction at most, and characters that they have together. A larger call goes alone. */
const maxGroup = 64;
const maxGroupLength = 1024 * 1024;
/** What a row counts as beside its content: to delete one is work as well. */
const rowLength = 100;
/** Calls that may wait, and characters of content that they have together; beyond that the caller is told to come back. */
const maxWaiting = 1_000;
const maxWaitingLength = 64 * maxGroupLength;
/** How often a group is begun anew because records came or went in between. */
const maxAttempts = 10;

type Outcome = Ingested | { refused: DiptychError };

/**
 * Calls that stage rows. Those of one changeset, or of one collection outside of changesets, wait for one another in
 * any case, because they lock the same or are likely to: they wait here, where waiting takes no connection, and those
 * that arrive while one transaction runs go together in the next.
 */
export class IngestQueue {
  readonly #db: Db;
  readonly #calls: GroupQueue<IngestRequest, Outcome>;

  constructor({ db }: { db: Db }) {
    this.#db = db;
    this.#calls = new GroupQueue({
      run: (group) => this.#stageGroup(group),
      nameOf: ({ changeset, collection }) => changeset ?? collection,
      isOfOneName: true,
      weightOf: lengthOf,
      maxWeight: maxGroupLength,
      maxGroup,
      lanes,
      maxWaiting,
      maxWaitingWeight: maxWaitingLength,
      refuse: () => tooFast('Too many calls that ingest rows are waiting.'),
      isShared: isConnectionLost,
    });
  }

  /** @throws DiptychError what stands against the call, or `not-ready` when too many wait */
  async submit(request: IngestRequest): Promise<Ingested> {
    const outcome = await this.#calls.submit(request);
    if ('refused' in outcome) throw outcome.refused;
    return outcome;
  }

  async #stageGroup(group: IngestRequest[]): Promise<(Outcome | undefined)[]> {
    const calls = takeTogether(group);
    const outcomes = await this.#stage([...calls]);
    const outcomeOf = new Map([...calls].map((request, index) => [request, outcomes[index]]));
    return group.map((request) => outcomeOf.get(request));
  }

  async #stage(calls: IngestRequest[]): Promise<Outcome[]> {
    const [first] = calls;
    if (first === undefined) return [];
    for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
      try {
        return await withTransaction(this.#db, (tx) => stageRows(tx, first, calls));
      } catch (error) {
        if (error instanceof Overtaken) continue;
        // What they all name cannot be staged into. What else was in the way, each meets by itself.
        if (!(error instanceof DiptychError) || error.code === 'not-ready' || isConnectionLost(error))
          throw error;
        return calls.map(() => ({ refused: error }));
      }
    }
    throw tooFast('Records come and go faster than rows can be staged into them.');
  }
}

const lengthOf = ({ rows }: IngestRequest) =>
  rows.reduce((sum, row) => sum + rowLength + (row.action === 'upsert' ? row.content.content.length : 0), 0);

const tooFast = (detail: string) => new DiptychError('not-ready', detail, { retryAfterSeconds: 1 });
