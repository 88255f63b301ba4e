import type { Operation } from './operations.js';
import { changesetPerformers } from './perform-changesets.js';
import { collectionPerformers } from './perform-collections.js';
import { recordPerformers } from './perform-records.js';
import type { Service } from './service.js';
import type { Outcome } from './state.js';
import { type Performers, Replayed } from './terms.js';

const performers: Performers = { ...recordPerformers, ...changesetPerformers, ...collectionPerformers };

/** Refusals that only ask to come back, as they are meant where a database is slow. */
const passing = ['changeset-busy', 'not-ready'];
const mostAttempts = 20;

/** Has the service do an operation; again, where it asks for that. */
export async function perform(service: Service, op: Operation): Promise<Outcome> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptOnce(service, op);
    if (!passing.includes(outcome.code) || attempt === mostAttempts) return outcome;
  }
}

/** Anything but an answer or a refusal is a bug, and tells of it in the code. */
async function attemptOnce(service: Service, op: Operation): Promise<Outcome> {
  try {
    const performer = performers[op.type] as (service: Service, op: Operation) => Promise<unknown>;
    const answer = await performer(service, op);
    if (answer instanceof Replayed) return { code: 'ok', answer: answer.answer, replayed: true };
    return { code: 'ok', answer };
  } catch (error) {
    if (!(error instanceof Error && error.name === 'DiptychError' && 'code' in error))
      return { code: `bug: ${error instanceof Error ? error.message : String(error)}` };
    return { code: String(error.code), ...('replayed' in error && error.replayed ? { replayed: true } : {}) };
  }
}
