import type { CommitResult } from '../../domain/commit.js';
import { catalogue, DiptychError, type ErrorCode, type Extensions } from '../../domain/errors.js';
import type { Failure } from '../../domain/failure.js';
import type { CommitRequest } from '../../domain/intent.js';
import type { Outcome } from '../../domain/outcome.js';
import type { Tx } from '../../store/db.js';
import {
  findAnswers,
  type IdempotencyRow,
  insertAnswers,
  lockIdempotencyKeys,
} from '../../store/idempotency.js';

/** A refusal as it is kept. */
interface KeptRefusal {
  detail: string;
  errors: Failure[];
  extensions: Extensions;
}

const nameOf = ({ principal, key }: { principal: string; key: string }) => JSON.stringify([principal, key]);

const named = (requests: CommitRequest[]) =>
  requests.flatMap((request) => (request.idempotency ? [{ request, ...request.idempotency }] : []));

/** Marks the Idempotency-Keys of these requests; answers those that are being worked on elsewhere. */
export async function lockKeys(tx: Tx, requests: CommitRequest[]): Promise<Map<CommitRequest, Outcome>> {
  const keyed = named(requests);
  if (keyed.length === 0) return new Map();
  const busy = await lockIdempotencyKeys(tx, keyed);
  return new Map(
    keyed.flatMap(({ request }, position) =>
      busy.has(position) ? [[request, { refused: inFlight() }]] : [],
    ),
  );
}

/**
 * The answers that these requests were given before. To be sent behind the head's lock: only then is everything
 * visible that other instances have finished.
 */
export async function recallAnswers(tx: Tx, requests: CommitRequest[]): Promise<Map<CommitRequest, Outcome>> {
  const keyed = named(requests);
  if (keyed.length === 0) return new Map();
  const answers = new Map((await findAnswers(tx, keyed)).map((row) => [nameOf(row), row]));
  return new Map(
    keyed.flatMap(({ request, principal, key, fingerprint }) => {
      const answer = answers.get(nameOf({ principal, key }));
      if (answer === undefined) return [];
      return [[request, fingerprint.equals(answer.fingerprint) ? replay(answer) : { refused: reused(key) }]];
    }),
  );
}

/** Keeps the answers to the requests that have a key, in the transaction of the commits that they tell of. */
export function keepAnswers(tx: Tx, requests: CommitRequest[], outcomes: Map<CommitRequest, Outcome>): void {
  const answers = named(requests).flatMap(({ request, principal, key, fingerprint }) => {
    const outcome = outcomes.get(request);
    if (outcome === undefined || 'stale' in outcome || request.dryRun) return [];
    return [{ principal, key, fingerprint, ...toAnswer(outcome) }];
  });
  if (answers.length > 0) insertAnswers(tx, answers);
}

export function inFlight(): DiptychError {
  return new DiptychError(
    'request-in-flight',
    'A request with this Idempotency-Key is being worked on at this moment.',
    {
      retryAfterSeconds: 1,
    },
  );
}

function reused(key: string): DiptychError {
  return new DiptychError(
    'idempotency-key-reused',
    `The key ${JSON.stringify(key)} was used with another request.`,
  );
}

function toAnswer(
  outcome: Exclude<Outcome, { stale: true }>,
): Pick<IdempotencyRow, 'outcome' | 'revision' | 'body'> {
  if ('result' in outcome) {
    const { result } = outcome;
    return {
      outcome: 'committed',
      revision: result.unchanged ? null : result.revision,
      body: JSON.parse(JSON.stringify(result)),
    };
  }
  const { code, detail, options } = outcome.refused;
  const kept: KeptRefusal = { detail, errors: options.errors ?? [], extensions: options.extensions ?? {} };
  return { outcome: code, revision: null, body: JSON.parse(JSON.stringify(kept)) };
}

const isCode = (text: string): text is ErrorCode => Object.hasOwn(catalogue, text);

function replay(answer: IdempotencyRow): Outcome {
  if (!isCode(answer.outcome)) return { result: answer.body as unknown as CommitResult, replayed: true };
  const { detail, errors, extensions } = answer.body as unknown as KeptRefusal;
  const refused = new DiptychError(answer.outcome, detail, { errors, extensions });
  refused.replayed = true;
  return { refused };
}
