import type { DefinitionCache } from '../../domain/definition-cache.js';
import { DiptychError } from '../../domain/errors.js';
import { recordName } from '../../domain/judge.js';
import type { StoredValidation } from '../../domain/validation-state.js';
import { GroupQueue } from '../../lib/group-queue.js';
import { type Db, withOneStatement, withTransaction } from '../../store/db.js';
import { updateFreeValidations } from '../../store/pending-edits.js';
import { updateValidation } from '../../store/versions.js';
import { type Judged, PendingJudge } from './judge-pendings.js';
import type { PendingAddress } from './lock-pending.js';

/** Pending versions that are judged on one snapshot at most. */
const maxGroup = 64;
/** Validations that may wait; beyond that the caller is told to come back. */
const maxWaiting = 10_000;

/** A judgement, and what is kept of it. */
export interface Validated extends Judged {
  validation: StoredValidation;
}

type Outcome = { validated: Validated; isKept: boolean } | { refused: DiptychError };

/** Validations that arrive while one group is under way go together in the next: one read, one write. */
export class ValidationQueue {
  readonly #db: Db;
  readonly #judge: PendingJudge;
  readonly #groups: GroupQueue<PendingAddress, Outcome>;

  constructor({ db, definitions }: { db: Db; definitions: DefinitionCache }) {
    this.#db = db;
    this.#judge = new PendingJudge(db, definitions);
    this.#groups = new GroupQueue<PendingAddress, Outcome>({
      run: (group) => this.#validateGroup(group),
      nameOf: recordName,
      weightOf: () => 1,
      maxWeight: maxGroup,
      maxGroup,
      lanes: 1,
      gathers: true,
      maxWaiting,
      maxWaitingWeight: maxWaiting,
      refuse: () =>
        new DiptychError('not-ready', 'Too many validations are waiting.', { retryAfterSeconds: 1 }),
      isShared: (error) => error instanceof DiptychError,
    });
  }

  /** @throws DiptychError `collection-not-found`, `pending-not-found`, or `not-ready` when too many wait */
  async submit(at: PendingAddress): Promise<Validated> {
    const outcome = await this.#groups.submit(at);
    if ('refused' in outcome) throw outcome.refused;
    const { validated, isKept } = outcome;
    if (!isKept) {
      const { found, validation } = validated;
      await withTransaction(this.#db, (tx) => updateValidation(tx, found.pending.id, validation));
    }
    return validated;
  }

  async #validateGroup(group: PendingAddress[]): Promise<(Outcome | undefined)[]> {
    const judged = await this.#judge.judge(group);
    const at = new Date().toISOString();
    const outcomes = judged.map((item) =>
      item === undefined || 'refused' in item ? item : { ...item, validation: validationOf(item, at) },
    );
    const rows = outcomes.flatMap((item) =>
      item && 'validation' in item ? [{ id: item.found.pending.id, validation: item.validation }] : [],
    );
    const kept =
      rows.length === 0
        ? new Set()
        : await withOneStatement(this.#db, (statement) => updateFreeValidations(statement, rows));
    return outcomes.map((item) =>
      item && 'validation' in item ? { validated: item, isKept: kept.has(item.found.pending.id) } : item,
    );
  }
}

function validationOf({ found, revision, errors, warnings }: Judged, at: string): StoredValidation {
  return {
    valid: errors.length === 0,
    errorCount: errors.length,
    warningCount: warnings.length,
    revision,
    at,
    edit: found.pending.edit,
    definitionId: found.collection.definitionId,
    currentVersionId: found.current?.versionId ?? null,
  };
}
