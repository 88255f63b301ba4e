import { DiptychError } from '../../domain/errors.js';
import { recordName } from '../../domain/judge.js';
import type { PendingEdit } from '../../domain/pending-edit.js';
import type { Precondition } from '../../domain/precondition.js';
import { GroupQueue } from '../../lib/group-queue.js';
import { isConnectionLost, isLockTimeout } from '../../store/database-errors.js';
import { type Db, type Tx, withTransaction } from '../../store/db.js';
import { type EditOutcome, type EditRequest, editPendings } from './edit-pendings.js';
import { lockOpenChangeset } from './lock-changeset.js';
import type { PendingAddress, StagedAnswer } from './lock-pending.js';
import type { EditAnswer } from './write-edits.js';

/** Edits that go into one transaction at most, and characters of content that they have together. */
const maxGroup = 64;
const maxGroupLength = 1024 * 1024;
/** What a patch counts as, whose content is known only under lock. */
const patchLength = maxGroupLength / 16;
/** Edits that may wait, of either sort; beyond that the caller is told to come back. */
const maxWaiting = 10_000;
/** Characters of content that wait at most. */
const maxWaitingLength = 64 * maxGroupLength;
/** Connections for edits that wait for somebody else. */
const busyLanes = 2;
/** How often an edit is begun anew because its record came or went in between. */
const maxAttempts = 5;

interface StagingContext {
  db: Db;
  limits: { maxRecordBytes: number };
}

/**
 * Edits of pending versions. Outside of changesets those that arrive while one transaction runs go together in
 * the next; edits of a changeset wait for one another in any case, because they count.
 */
export class StagingQueue {
  readonly #context: StagingContext;
  readonly #groups: GroupQueue<EditRequest, EditOutcome>;
  /** Those that a group passed over, each in a transaction of its own that waits for its locks. */
  readonly #busy: GroupQueue<EditRequest, EditAnswer>;

  constructor(context: StagingContext) {
    this.#context = context;
    const options = {
      nameOf: recordName,
      weightOf: lengthOf,
      maxWeight: maxGroupLength,
      maxWaiting,
      maxWaitingWeight: maxWaitingLength,
      refuse: tooMany,
      isShared: isConnectionLost,
    };
    this.#groups = new GroupQueue({
      ...options,
      maxGroup,
      lanes: 1,
      gathers: true,
      run: (group) => this.#editGroup(group),
    });
    this.#busy = new GroupQueue({
      ...options,
      maxGroup: 1,
      lanes: busyLanes,
      run: async (group) => await Promise.all(group.map((request) => this.#editAlone(request))),
    });
  }

  /** @throws DiptychError the refusal of the edit, or `not-ready` when too many wait */
  async stage(
    request: EditRequest & { edit: Exclude<PendingEdit, { type: 'discard' }> },
  ): Promise<StagedAnswer> {
    const answer = await this.#submit(request);
    if ('pending' in answer) return answer;
    throw new Error('staged, and nothing is pending');
  }

  /** @throws DiptychError as for `stage` */
  async discard(at: PendingAddress & { precondition: Precondition }): Promise<{ revision: number }> {
    return await this.#submit({ ...at, edit: { type: 'discard' }, author: '' });
  }

  async #submit(request: EditRequest): Promise<EditAnswer> {
    if (request.changeset !== null) return await this.#editAlone(request);
    const outcome = await this.#groups.submit(request);
    if ('refused' in outcome) throw outcome.refused;
    return 'answer' in outcome ? outcome.answer : await this.#busy.submit(request);
  }

  async #editGroup(group: EditRequest[]): Promise<EditOutcome[]> {
    try {
      return await withTransaction(this.#context.db, (tx) =>
        this.#edit(tx, group, { changeset: null, wait: false }),
      );
    } catch (error) {
      // Somebody else is making this very record.
      if (group.length === 1 && isLockTimeout(error)) return [{ busy: true }];
      throw error;
    }
  }

  async #editAlone(request: EditRequest): Promise<EditAnswer> {
    const { changeset } = request;
    return await withTransaction(this.#context.db, async (tx) => {
      // The changeset first: whoever waits for one must not hold the collection, for which a definition waits.
      const opened = changeset === null ? undefined : lockOpenChangeset(tx, changeset);
      for (let attempt = 1; attempt <= maxAttempts; attempt += 1) {
        const [outcome] = await this.#edit(tx, [request], { changeset, opened, wait: true });
        if (outcome && 'refused' in outcome) throw outcome.refused;
        if (outcome && 'answer' in outcome) return outcome.answer;
      }
      throw new DiptychError('not-ready', 'The record comes and goes faster than it can be staged into.', {
        retryAfterSeconds: 1,
      });
    });
  }

  #edit(
    tx: Tx,
    requests: EditRequest[],
    options: { changeset: string | null; opened?: Promise<unknown> | undefined; wait: boolean },
  ): Promise<EditOutcome[]> {
    const { maxRecordBytes } = this.#context.limits;
    return editPendings(tx, requests, { ...options, maxRecordBytes });
  }
}

function lengthOf({ edit }: EditRequest): number {
  switch (edit.type) {
    case 'stage':
      return edit.content?.content.length ?? 0;
    case 'patch':
      return patchLength;
    case 'discard':
      return 0;
  }
}

const tooMany = () =>
  new DiptychError('not-ready', 'Too many calls that stage are waiting.', { retryAfterSeconds: 1 });
